"""Turns the name of a sink into the sink: a built-in one, or one that an installed package brings."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeVar, cast

from reconciler.core.dataclass import dataclass
from reconciler.core.errors import SinkError
from reconciler.core.masking.masker import mask
from reconciler.core.model import Secret
from reconciler.core.secrets import secret_texts
from reconciler.sinks import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.places import Place
    from reconciler.sinks.contract import Factory, Setting, Sink

T = TypeVar("T")

_LACKS: Final = "the sink has none"
_HAS_ANOTHER: Final = "the sink has the secret of another client there"
GROUP: Final = "reconciler.sinks"


def make_sink(kind: str, setting: Setting, *, is_asked: bool = True) -> SafeSink:
    """The sink that `kind` names. It is looked for and made when it is first needed.

    One that is not to be asked stores nothing, says nothing of its secrets and runs no program.
    """
    if not is_asked:
        return SafeSink(kind, lambda: UnaskedSink(place=f"the sink {kind}"))
    return SafeSink(kind, lambda: find_factory(kind)(setting))


def find_factory(kind: str) -> Factory:
    """The function that makes sinks of this kind. SinkError where no package has one, or several do."""
    if kind in BUILT_IN:
        module, _, name = BUILT_IN[kind].partition(":")
        return cast("Factory", getattr(import_module(module), name))
    from importlib import metadata  # noqa: PLC0415 - 20 ms that validate does not need

    found = metadata.entry_points(group=GROUP, name=kind)
    # A package that is there twice, as in a development install, brings the same value twice.
    if len({each.value for each in found}) == 1:
        return cast("Factory", next(iter(found)).load())
    if found:
        packages = ", ".join(sorted({str(each.dist and each.dist.name) for each in found}))
        raise SinkError(f"several packages bring a sink {kind}: {packages}; uninstall all but one")
    raise SinkError(f"there is no sink {kind} here, only {', '.join(sink_names())}")


def sink_names() -> tuple[str, ...]:
    """The names of the sinks that can be used here, sorted."""
    from importlib import metadata  # noqa: PLC0415 - as above

    return tuple(sorted({*BUILT_IN, *(each.name for each in metadata.entry_points(group=GROUP))}))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaskedSink:
    """A sink in whose place nothing is asked: of a plan that must not run what others wrote."""

    place: str

    def probe(self) -> None:
        """Raise SinkError: nothing could be stored."""
        raise SinkError(f"{self.place} is not asked here")

    def store(self, _target: str, _key: str, _client_id: str, _secret: Secret) -> str:
        """Raise SinkError: nothing is stored."""
        raise SinkError(f"{self.place} is not asked here, so that nothing is stored")


class SafeSink:
    """A sink as the rest of the tool sees it: it raises SinkError and nothing else, without secrets.

    An exception of another kind may quote what it was working on, so only its type is in the message.
    """

    def __init__(self, kind: str, make: Callable[[], Sink]) -> None:
        self._kind = kind
        self._make = make
        self._lock = threading.Lock()
        self._sink: Sink | None = None

    @property
    def place(self) -> str:
        """Where the secrets go, in words."""
        return self._call(lambda sink: sink.place, None)

    def probe(self) -> None:
        """Prove that a secret could be stored. Raises SinkError."""
        self._call(lambda sink: sink.probe(), None)

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Store the secret of a client; the value says where. Raises SinkError."""
        where = self._call(lambda sink: sink.store(target, key, client_id, secret), secret)
        # Ours say it without looking at the secret, whose parts a folder may be named like.
        return where if self._kind in BUILT_IN else mask(str(where), secret_texts(secret))

    def holder(self, target: str, key: str) -> str | None:
        """The id of the client whose secret it has under `key`; None for none, or where it cannot tell.

        Raises SinkError.
        """

        def ask(sink: Sink) -> str | None:
            # Not every sink can tell: a command gives nothing back (see `contract.Sink`).
            holder = getattr(sink, "holder", None)
            return None if holder is None else holder(target, key)

        return self._call(ask, None)

    @property
    def gives_back(self) -> bool:
        """Whether what it has can be loaded. Raises SinkError."""
        return self._call(lambda sink: getattr(sink, "load", None) is not None, None)

    def load(self, target: str, key: str) -> Secret | None:
        """The secret that it has under `key`; None for none, or where it gives none back. Raises SinkError."""

        def ask(sink: Sink) -> Secret | None:
            load = getattr(sink, "load", None)
            found = None if load is None else load(target, key)
            return Secret(found) if isinstance(found, str) and found else None

        return self._call(ask, None)

    def missing(
        self, clients: Mapping[Place, str], *, one_by_one: bool = False
    ) -> Mapping[Place, str] | None:
        """Of the clients, their ids by target and key, those whose secret it lacks, with why.

        None for a sink that cannot tell: with `one_by_one` it may be asked for each, which costs a
        call or a process. Raises SinkError.
        """

        def ask(sink: Sink) -> Mapping[Place, str] | None:
            missing = getattr(sink, "missing", None)
            holder = getattr(sink, "holder", None)
            if missing is not None:
                return cast("Mapping[Place, str]", missing(clients))
            if holder is None or not one_by_one:
                return None
            found = {place: holder(*place) for place in clients}
            return {
                place: _LACKS if found[place] is None else _HAS_ANOTHER
                for place in clients
                if found[place] != clients[place]
            }

        return self._call(ask, None)

    def _call(self, act: Callable[[Sink], T], secret: Secret | None) -> T:
        try:
            return act(self._made_sink())
        except SinkError as error:
            # Masked here too: a sink of another package may quote what it was given.
            problem = mask(str(error), secret_texts(secret))
        except Exception as error:  # noqa: BLE001 - a sink may be anybody's code
            problem = f"the sink {self._kind} failed with an unexpected {type(error).__name__}"
        # Outside of the handlers, so that no traceback leads back to the secret.
        raise SinkError(problem)

    def _made_sink(self) -> Sink:
        with self._lock:
            if self._sink is None:
                self._sink = self._make()
            return self._sink
