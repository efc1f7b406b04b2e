"""What a vendor's folder asks for that the tool does not do: words, and what does not go together."""
