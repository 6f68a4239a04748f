"""Other ways to send a segment to Campaign Monitor, each a program of its own in the environment `.venv-bench`.

None of them validates addresses, compares with what is there, keeps a journal, or could go on after a crash.
"""
