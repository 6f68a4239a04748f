"""The app of the repository, armed: see `dev.faults.killing`."""
