"""The version of the installed package."""

from __future__ import annotations


def version() -> str:
    """Give the version, `0+source` where the package is run from its sources, not installed."""
    from importlib import metadata  # noqa: PLC0415 - 15 ms, for the few outputs that state it

    try:
        return metadata.version("oauth-client-reconciler")
    except metadata.PackageNotFoundError:
        return "0+source"
