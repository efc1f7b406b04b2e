"""The commands: options, exit codes, and the only place that prints."""

from __future__ import annotations

from reconciler.cli.root import main

__all__ = ["main"]
