"""YAML text into plain values, and problems back to their lines."""
