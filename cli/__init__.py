"""`segment-exports`, the command line: a client of the app's HTTP API, and of nothing else of this project."""
