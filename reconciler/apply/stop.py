"""Decides when a run must start nothing more, and says why."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import InventoryError, SinkError, Unauthorized, Unreachable

if TYPE_CHECKING:
    from reconciler.core.errors import ReconcilerError

# So many changes in a row that never reached the server: it is not there.
_UNREACHABLE: Final = 3


class Brake:
    """Stops a target's run; `interrupted` is set from outside, by Ctrl-C.

    `failed` is set by the first failure, of this target or of one that shares it, and then stops
    the run too; None lets the rest go on.
    """

    def __init__(self, interrupted: threading.Event, failed: threading.Event | None = None) -> None:
        self._interrupted = interrupted
        self._failed = failed
        self._lock = threading.Lock()
        self._reason = ""
        self._no_secrets = False
        self._unreachable = 0

    def after(self, error: ReconcilerError | None) -> None:
        """Take note of how a change ended; None for well."""
        if error is not None and self._failed is not None:
            self._failed.set()
        with self._lock:
            self._unreachable = self._unreachable + 1 if isinstance(error, Unreachable) else 0
            if isinstance(error, SinkError):
                self._no_secrets = True
            self._reason = self._reason or self._why(error)

    def reason(self, *, creates: bool) -> str:
        """Why nothing more may start, "" while it may; `creates` asks for changes that issue a secret."""
        if self._interrupted.is_set():
            return "the run was interrupted"
        if self._reason:
            return self._reason
        if self._failed is not None and self._failed.is_set():
            return "an earlier change failed, and --fail-fast stops there"
        if creates and self._no_secrets:
            return "the secret of an earlier client could not be stored"
        return ""

    def _why(self, error: ReconcilerError | None) -> str:
        if isinstance(error, Unauthorized):
            return f"the server turned the tool itself away ({error.status or 'no token'})"
        if isinstance(error, InventoryError):
            return "the inventory could not be written"
        if self._unreachable >= _UNREACHABLE:
            return "the server cannot be reached"
        return ""
