"""The commands: what each takes, what it asks of the app, and what people are shown. cli/table.py has their words."""
