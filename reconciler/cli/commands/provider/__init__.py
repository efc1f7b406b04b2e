"""`reconciler provider`: the commands for whoever describes a vendor."""

from reconciler.cli.commands.provider.check import command

__all__ = ["command"]
