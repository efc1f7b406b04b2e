"""The list of a server's clients, however it comes in pages."""
