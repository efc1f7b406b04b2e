"""The bytes between us and a server: how long they may take, and how many there may be."""
