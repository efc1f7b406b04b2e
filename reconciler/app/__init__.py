"""The use cases, a module each, and the context that they share."""
