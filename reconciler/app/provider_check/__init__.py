"""Holds a provider's folder against a server that runs: what it says of the server, and what the server says of it."""
