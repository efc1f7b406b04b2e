"""The secrets of clients: where each is, and what a plan says of one that is not where it belongs."""
