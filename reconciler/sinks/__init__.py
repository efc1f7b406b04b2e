"""Sinks: each stores the secret of a client where whoever runs the client can get it."""
