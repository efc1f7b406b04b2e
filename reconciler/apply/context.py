"""A target with its record, its server and its sink open, and when nothing more of it may start."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import InventoryError, SinkError, Unauthorized, Unreachable
from reconciler.plan.ownership import holders, ids_by_name
from reconciler.plan.preconditions import conflict_check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.errors import ReconcilerError
    from reconciler.core.model import Json
    from reconciler.core.project import ConflictCheck
    from reconciler.http.transport import Transport
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider
    from reconciler.sinks.registry import SafeSink

# So many changes in a row that never reached the server: it is not there. One alone may be a
# connection that broke.
_UNREACHABLE: Final = 3


class StopSignal:
    """Says when a target's run must start nothing more, and why; `interrupted` is set by Ctrl-C.

    `failed` is set by the first failure, of this target or of one that shares it, and then stops
    the run too; None lets the rest go on.
    """

    def __init__(self, interrupted: threading.Event, failed: threading.Event | None = None) -> None:
        self.interrupted = interrupted
        self._failed = failed
        self._lock = threading.Lock()
        self._reason = ""
        self._sink_failed = False
        self._unreachable = 0

    def note_end(self, error: ReconcilerError | None) -> None:
        """Take note of how a change ended: by `error`, or well."""
        if error is not None and self._failed is not None:
            self._failed.set()
        with self._lock:
            # Any answer, even a refusal, shows that the server is there.
            self._unreachable = self._unreachable + 1 if isinstance(error, Unreachable) else 0
            if isinstance(error, SinkError):
                self._sink_failed = True
            # The first reason stays: what several threads meet after it is a consequence.
            self._reason = self._reason or self._reason_of(error)

    def reason(self, *, creates: bool) -> str:
        """Why nothing more may start, "" while it may; `creates` asks for changes that issue a secret."""
        if self.interrupted.is_set():
            return "the run was interrupted"
        if self._reason:
            return self._reason
        if self._failed is not None and self._failed.is_set():
            return "an earlier change failed, and --fail-fast stops there"
        # An update brings no secret, so that a sink that fails is no reason to hold it back.
        if creates and self._sink_failed:
            return "the secret of an earlier client could not be stored"
        return ""

    def _reason_of(self, error: ReconcilerError | None) -> str:
        if isinstance(error, Unauthorized):
            return f"the server turned the tool itself away ({error.status or 'no token'})"
        if isinstance(error, InventoryError):
            return "the inventory could not be written"
        if self._unreachable >= _UNREACHABLE:
            return "the server cannot be reached"
        return ""


def _never_set() -> StopSignal:
    return StopSignal(threading.Event())


class CreatedIds:
    """The ids that were there before the creates of a run, and those that they were answered with.

    Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders: dict[str, str] | None = None
        self._by_name: Mapping[str, tuple[str, ...]] | None = None

    def namesakes(self, context: TargetContext, name: Json) -> tuple[str, ...] | None:
        """The clients of a name that were there before; None where that cannot be known."""
        if not context.live.listed or not isinstance(name, str) or not name:
            return None
        with self._lock:
            if self._by_name is None:
                self._by_name = ids_by_name(context)
            return self._by_name.get(name, ())

    def claim(self, context: TargetContext, key: str, remote_id: str) -> str:
        """Take an id for what the create of `key` made; whose it is where it cannot be that, else "".

        A server that answers with the id of another client would have that one written over later.
        """
        entry, spelled = context.inventory.entries.get(key), remote_id.lower()
        # Where ids are chosen, a client that is gone is made again by its old id.
        own = () if entry is None else (entry.remote_id, *entry.superseded)
        again = remote_id in own and remote_id not in context.live.clients
        with self._lock:
            if self._holders is None:
                self._holders = dict(holders(context))
            if spelled in self._holders and not again:
                return self._holders[spelled]
            self._holders[spelled] = f"the client that was just created as {key}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTarget:
    """A target with its record, its server and its sink open: what every use case works on.

    `session` is the target's inventory, and `records` are those of all targets of the run and of
    those that clients move from. `now` gives RFC 3339 in UTC. `is_old` says whether the
    plan's look at the server is too old to write on. `refuses_tests` is set once the run has
    found out that the server takes no `test` operations. `created` are the ids that were
    there before its creates, and those that they were answered with.
    """

    context: TargetContext
    transport: Transport
    session: OpenInventory
    sink: SafeSink
    now: Callable[[], str]
    stop: StopSignal = field(default_factory=_never_set)
    is_old: Callable[[], bool] = lambda: False
    records: Mapping[str, OpenInventory] = field(default_factory=dict)
    refuses_tests: threading.Event = field(default_factory=threading.Event)
    created: CreatedIds = field(default_factory=CreatedIds)

    @property
    def provider(self) -> Provider:
        """The vendor of the target."""
        return self.context.provider

    @property
    def key(self) -> bytes:
        """The key for fingerprints."""
        return self.context.key

    @property
    def name(self) -> str:
        """The target's name."""
        return self.context.target.name

    @property
    def conflict_check(self) -> ConflictCheck:
        """How a write makes sure that its client is as it was when the write was planned."""
        chosen = conflict_check(self.provider, self.context.target.conflict_check)
        return "reread" if chosen == "test" and self.refuses_tests.is_set() else chosen
