"""The whole life of clients on real servers, from the package registries; `make real` runs it, `make test` does not."""
