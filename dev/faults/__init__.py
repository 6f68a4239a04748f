"""Crashes and failures on purpose: the seam to Azure and the vendor can be told to die, to stall or to fail."""
