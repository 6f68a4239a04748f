"""What is deployed: pinned with hashes, under licences that may be passed on, without known holes."""
