"""A vendor as data: its descriptor, its schemas, its errors; pure."""
