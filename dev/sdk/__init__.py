"""The vendors' own libraries, pointed at the simulators: `make sdk`."""
