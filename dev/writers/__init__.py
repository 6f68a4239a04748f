"""What real libraries write, read by this service: `make writers`."""
