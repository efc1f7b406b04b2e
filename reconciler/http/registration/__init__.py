"""Dynamic client registration (RFC 7591, RFC 7592): where it is, and what each client is read and changed by."""
