"""Takes secrets out of texts that others wrote: what a server answers, what a command prints."""
