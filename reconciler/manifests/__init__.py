"""Files to manifests."""
