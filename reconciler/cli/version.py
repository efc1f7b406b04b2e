"""The version of the installed package."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """Give the version, `0+source` where the package is run from its sources, not installed."""
    try:
        return metadata.version("oauth-client-reconciler")
    except metadata.PackageNotFoundError:
        return "0+source"
