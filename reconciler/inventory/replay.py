"""Turns a record and the journal that a dead run left beside it into what is known now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import InventoryError
from reconciler.inventory import codec, journal
from reconciler.inventory.journal import InventoryState

if TYPE_CHECKING:
    from reconciler.core.model import Inventory
    from reconciler.inventory.backend import Backend
    from reconciler.inventory.journal import Journal

_MOST_KEYS_IN_MESSAGE: Final = 10


def replay(
    recorded: Inventory, leftover: Journal | None, backend: Backend
) -> tuple[InventoryState, bool]:
    """The state after the run that left a journal, and whether that journal goes on."""
    state = InventoryState(recorded)
    if leftover is None:
        return state, False
    for event in leftover.events:
        state.apply(event)
    if leftover.bases:
        # Some of the files may be written already, and those of other clients merged meanwhile.
        _refuse_moved_away(recorded, state, leftover, backend)
        return state, True
    if leftover.serial == recorded.serial:
        return state, True
    says_the_same = (state.entries, state.pending) == (recorded.entries, recorded.pending)
    if (recorded.serial is None or leftover.serial < recorded.serial) and says_the_same:
        # The run died after it wrote the record and before it took the journal away.
        return state, False
    keys = sorted({key for event in leftover.events for key in journal.keys_of(event)})
    raise InventoryError(
        f"{backend.journal_path} and {backend.record_path} do not belong together: the journal "
        f"goes on from serial {leftover.serial}, the record has {_serial_text(recorded)}. A run on "
        "this copy could not end, and the record was since replaced by another copy. Bring the "
        f"record of serial {leftover.serial} back, or compare {some(keys)} with the server and "
        "move the journal away"
    )


def _refuse_moved_away(
    recorded: Inventory, state: InventoryState, leftover: Journal, backend: Backend
) -> None:
    """InventoryError where the record of a client is neither what the journal began from nor its end."""
    moved = []
    for key, base in sorted(leftover.bases.items()):
        end = codec.client_digest(state.entries.get(key), state.pending.get(key))
        if recorded_digest(recorded, key) not in (base, end):
            moved.append(key)
    if moved:
        raise InventoryError(
            f"{backend.journal_path} and {backend.record_path} do not belong together: the record "
            f"of {some(moved)} was changed since the run began that could not end. Bring these "
            "files back to what they were then (`git log` shows it) and run again, or compare the "
            "clients with the server and move the journal away"
        )


def recorded_digest(recorded: Inventory, key: str) -> str:
    """What tells this state of a client in the record from another."""
    return codec.client_digest(recorded.entries.get(key), recorded.pending.get(key))


def _serial_text(recorded: Inventory) -> str:
    return "none" if recorded.serial is None else f"serial {recorded.serial}"


def some(keys: list[str]) -> str:
    """The first of `keys` and how many more there are, for a message."""
    first, more = keys[:_MOST_KEYS_IN_MESSAGE], len(keys) - _MOST_KEYS_IN_MESSAGE
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")
