"""The zip that is deployed: the same bytes from the same sources, libraries and zlib. Standard library only."""
