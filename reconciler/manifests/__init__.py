"""Files to manifests."""

from reconciler.manifests.clients import Loaded, load

__all__ = ["Loaded", "load"]
