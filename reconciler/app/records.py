"""The records of the targets that share a server: read for a plan, held while a client moves."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.app.connection import store_of
from reconciler.core.addresses import server_address
from reconciler.core.errors import InventoryError
from reconciler.core.places import split_place
from reconciler.plan.context import Neighbour
from reconciler.plan.moves.moves import former_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import ExitStack

    from reconciler.core.model import Inventory, Manifest
    from reconciler.core.project import Project, Target
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.provider.model import Provider


def server_of(target: Target, provider: Provider) -> str:
    """The address of a target's clients, the same for every spelling of it."""
    return server_address(target.base_url, provider.collection)


class Records:
    """The open records of a run, by target, and how the others of the project are read."""

    def __init__(
        self, project: Project, servers: Mapping[str, str], manifests: Iterable[Manifest]
    ) -> None:
        self._project = project
        self._servers = servers
        self._manifests: dict[str, dict[str, Manifest]] = {name: {} for name in servers}
        for manifest in manifests:
            self._manifests.setdefault(manifest.target, {})[manifest.name] = manifest
        self.held: dict[str, OpenInventory] = {}
        self._read_before: dict[str, Inventory] = {}

    @cached_property
    def _with_record(self) -> frozenset[str]:
        """The targets that have a record. Raises InventoryError."""
        return frozenset(store_of(self._project).targets())

    def neighbours(self, target: str, server: str) -> tuple[Neighbour, ...]:
        """The other targets that are of `server`, and records without a target, sorted by name.

        A record counts by the server that it names, and by the one that its target is at. One
        without a target that names none may be of any. Raises InventoryError.
        """
        names = self._servers.keys() | self._with_record
        return tuple(self._find(sorted(names - {target}), server))

    def hold(self, stack: ExitStack, target: Target, *, timeout: float) -> None:
        """Open, under their locks until `stack` closes, the records that clients move from."""
        store = store_of(self._project)
        wanted = set(former_names(target))
        for manifest in self._manifests.get(target.name, {}).values():
            wanted |= {target for target, _ in map(split_place, manifest.formerly) if target}
        for name in sorted((wanted & self._with_record) - self.held.keys()):
            self.held[name] = stack.enter_context(store.open(name, lock=True, timeout=timeout))

    def _find(self, names: Iterable[str], server: str) -> Iterator[Neighbour]:
        for name in names:
            is_target = name in self._servers
            inventory = self._read(name)
            recorded = {inventory.server, self._servers.get(name, inventory.server)}
            if server in recorded or (not is_target and not inventory.server):
                manifests = self._manifests.get(name, {})
                yield Neighbour(
                    target=name, inventory=inventory, manifests=manifests, is_target=is_target
                )

    def _read(self, name: str) -> Inventory:
        if name in self.held:
            return self.held[name].inventory
        # Once a run: each of its targets asks for the records of all the others.
        if name not in self._read_before:
            self._read_before[name] = self._read_now(name)
        return self._read_before[name]

    def _read_now(self, name: str) -> Inventory:
        try:
            with store_of(self._project).open(name, lock=False) as session:
                return session.inventory
        except InventoryError as error:
            reason = f"whose clients may be on the same server, cannot be read: {error}"
        raise InventoryError(f"the record of {name}, {reason}")
