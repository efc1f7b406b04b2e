"""The record of which clients are ours."""
