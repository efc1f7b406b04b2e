"""A declarative GitOps reconciler for OAuth clients."""
