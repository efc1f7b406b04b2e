"""Files into the manifests of a project, and everything that is wrong with them."""

from reconciler.manifests.clients import LoadedProject, load

__all__ = ["LoadedProject", "load"]
