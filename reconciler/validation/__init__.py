"""Values held against JSON Schemas, and what is wrong with them in words; pure."""
