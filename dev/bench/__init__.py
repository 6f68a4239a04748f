"""Benchmarks: ours measured beside other ways of doing the same, in one run on one machine. `docs/performance.md`."""
