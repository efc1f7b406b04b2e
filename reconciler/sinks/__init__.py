"""Where a new client secret goes."""
