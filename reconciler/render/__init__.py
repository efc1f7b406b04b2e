"""Plans, reports and problems as text, JSON and Markdown."""
