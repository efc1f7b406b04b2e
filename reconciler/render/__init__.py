"""Plans, reports, receipts and problems as text, JSON and Markdown; pure."""
