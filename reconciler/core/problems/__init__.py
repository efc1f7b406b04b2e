"""Many problems: which of them are shown, and how the others are counted."""
