"""Everything that the service keeps, as each release wrote it: `python -m tests.recorded` records what this one writes.

A folder is a release, a file a shape. Files of a release are never changed: what is read from them is what lies in
people's storage. `test_recorded.py` reads all of them, and fails when this version writes another shape than its newest
recording; then raise the version in `pyproject.toml` and record again.
"""
