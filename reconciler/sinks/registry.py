"""Turns the name of a sink into the sink: one of ours, or one that an installed package brings."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeVar, cast

from reconciler.core.errors import SinkError
from reconciler.sinks import BUILT_IN
from reconciler.sinks.masking import masked

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.model import Secret
    from reconciler.sinks.contract import Factory, Setting, Sink

T = TypeVar("T")

GROUP: Final = "reconciler.sinks"


def sink(kind: str, setting: Setting) -> Guarded:
    """The sink that `kind` names. It is looked for and made when it is first needed."""
    return Guarded(kind, lambda: factory(kind)(setting))


def factory(kind: str) -> Factory:
    """What makes the sinks of this kind. SinkError where no package, or more than one, has it."""
    if kind in BUILT_IN:
        module, _, name = BUILT_IN[kind].partition(":")
        return cast("Factory", getattr(import_module(module), name))
    from importlib import metadata  # noqa: PLC0415 - 20 ms that validate does not need

    found = metadata.entry_points(group=GROUP, name=kind)
    if len({each.value for each in found}) == 1:
        return cast("Factory", next(iter(found)).load())
    if found:
        packages = ", ".join(sorted({str(each.dist and each.dist.name) for each in found}))
        raise SinkError(f"several packages bring a sink {kind}: {packages}; uninstall all but one")
    raise SinkError(f"there is no sink {kind} here, only {', '.join(names())}")


def names() -> tuple[str, ...]:
    """The sinks that can be used here, sorted."""
    from importlib import metadata  # noqa: PLC0415 - as above

    return tuple(sorted({*BUILT_IN, *(each.name for each in metadata.entry_points(group=GROUP))}))


class Guarded:
    """A sink as the rest of the tool sees it: it raises SinkError and nothing else, without secrets.

    An exception of another kind may quote what it was working on, so only its type is told.
    """

    def __init__(self, kind: str, make: Callable[[], Sink]) -> None:
        self._kind = kind
        self._make = make
        self._lock = threading.Lock()
        self._made: Sink | None = None

    @property
    def place(self) -> str:
        """Where the secrets go, in words."""
        return self._held(lambda sink: sink.place, None)

    def probe(self) -> None:
        """Prove that a secret could be stored. Raises SinkError."""
        self._held(lambda sink: sink.probe(), None)

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Store the secret of a client, and say where. Raises SinkError."""
        where = self._held(lambda sink: sink.store(target, key, client_id, secret), secret)
        return masked(str(where), secret)

    def holder(self, target: str, key: str) -> str | None:
        """The id of the client whose secret it has under `key`, where the sink can tell without the secret.

        Raises SinkError.
        """

        def ask(sink: Sink) -> str | None:
            tell = getattr(sink, "holder", None)
            return None if tell is None else tell(target, key)

        return self._held(ask, None)

    def _held(self, act: Callable[[Sink], T], secret: Secret | None) -> T:
        try:
            return act(self._sink())
        except SinkError as error:
            problem = str(error) if secret is None else masked(str(error), secret)
        except Exception as error:  # noqa: BLE001 - a sink may be anybody's code
            problem = f"the sink {self._kind} failed with an unexpected {type(error).__name__}"
        raise SinkError(problem)

    def _sink(self) -> Sink:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made
