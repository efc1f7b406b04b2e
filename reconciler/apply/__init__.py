"""A plan carried out: its requests sent, and what came of them recorded."""
