"""The commands: options, exit codes, and the only place that prints."""
