"""Another secret for a client: by a call, by an update, or by a new client in its place."""
