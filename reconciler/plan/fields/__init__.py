"""What is inside a field: what a request carries of it, which of it is secret, what a server took of it."""
