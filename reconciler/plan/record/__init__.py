"""What the record says of a client, as a plan checks and tells it."""
