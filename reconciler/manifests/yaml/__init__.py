"""YAML text to plain values, and back to the lines that people see."""
