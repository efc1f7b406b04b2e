"""Addresses that users are sent to: is one meant, and what is wrong with it where it cannot be."""
