"""The use case `rotate`: gives a client another secret, and takes the old one away where that holds on."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from reconciler.app.context import Call, load_valid, open_target, read_client, target_of
from reconciler.app.rotation.succession import Succession, prepare
from reconciler.app.secret_places import probe_spool, warn_of_files
from reconciler.core.changes import Refusal, Status
from reconciler.core.errors import (
    Ambiguous,
    InventoryError,
    RemoteError,
    SelectionError,
    SinkError,
)
from reconciler.plan.guards.rotation import finish_refusal, rotation_refusal
from reconciler.plan.secrets.places import with_secret
from reconciler.provider.identity import client_id_in
from reconciler.provider.model import IssuedSecret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.apply.context import OpenTarget
    from reconciler.apply.secrets import KeptSecret
    from reconciler.core.model import InventoryEntry, LiveClient, Secret, SecretPlace
    from reconciler.manifests.clients import LoadedProject

# A name, since as a literal it looks like a password to those who search for such.
_LOST: Final[SecretPlace] = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """A client that has a new secret: where that is now, and what went wrong on its way there.

    `successor` is the id of the new client where it was replaced, and `note` then says what becomes
    of the old one.
    """

    place: SecretPlace
    location: str
    trouble: str
    successor: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotatable:
    """A client whose secret `rotate` changes; `sink` says in words where the new one will go.

    Where only a new client has another secret, `replaced` says so, and what becomes of the old one.
    With `overlaps` the old secret holds beside the new one, until `open_for_finish`.
    `warning` is of a sink that may not outlive the run.
    """

    target: str
    key: str
    remote_id: str
    sink: str
    rotate: Callable[[], Rotated]
    replaced: str = ""
    overlaps: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishable:
    """A client whose secret from before its last rotation `finish` takes away."""

    target: str
    key: str
    remote_id: str
    finish: Callable[[], None]


@contextmanager
def open_for_rotation(call: Call, key: str) -> Iterator[Rotatable | Refusal]:
    """The client of `key`, ready to get a new secret, or why it does not.

    It was read just now, and its sink would take a secret. Until the block ends, no other run
    works on the target. Raises SelectionError where nothing is recorded of `key`, and the other
    ReconcilerErrors.
    """
    with _open_entry(call, key) as (loaded, opened, entry):
        target = opened.name
        live = read_client(opened, entry.remote_id)
        refusal = rotation_refusal(opened.context, key, live, opened.context.others.get(key))
        if refusal is not None:
            yield refusal
            return
        replaced, act = "", partial(_rotate, opened, key, entry, live, call.changed)
        if opened.provider.rotate is None:
            succession = prepare(opened, loaded, key, live)
            if isinstance(succession, Refusal):
                yield succession
                return
            replaced, act = (
                succession.words,
                partial(_replace, opened, key, succession, call.changed),
            )
        # Before anything is changed: a new secret with nowhere to go cuts off the client's users.
        opened.sink.probe()
        probe_spool(loaded.project)
        yield Rotatable(
            target=target,
            key=key,
            remote_id=entry.remote_id,
            sink=opened.sink.place,
            rotate=act,
            replaced=replaced,
            overlaps=isinstance(how := opened.provider.rotate, IssuedSecret)
            and how.finish is not None,
            warning=warn_of_files([key], opened),
        )


@contextmanager
def open_for_finish(call: Call, key: str) -> Iterator[Finishable | Refusal]:
    """The client of `key`, ready to lose the secret from before its last rotation, or why it does not.

    Raises as `open_for_rotation` does.
    """
    from reconciler.apply import rotation  # noqa: PLC0415 - loads httpx

    with _open_entry(call, key) as (_, opened, entry):
        refusal = finish_refusal(opened.context, key, entry)
        if refusal is not None:
            yield refusal
            return
        live = read_client(opened, entry.remote_id)

        def finish() -> None:
            rotation.finish(
                opened.provider,
                opened.transport,
                live,
                key=key,
                before_try=opened.session.check_lock,
            )
            call.changed()

        yield Finishable(target=opened.name, key=key, remote_id=entry.remote_id, finish=finish)


@contextmanager
def _open_entry(call: Call, key: str) -> Iterator[tuple[LoadedProject, OpenTarget, InventoryEntry]]:
    """The project, the target of `key`, opened and locked, and what is recorded of the client."""
    loaded = load_valid(call)
    target = target_of(loaded, key, call.target)
    with open_target(loaded, target, call) as opened:
        entry = opened.session.entry(key)
        if entry is None:
            raise SelectionError(f"the inventory of {target} holds no client {key}")
        yield loaded, opened, entry


def _rotate(
    opened: OpenTarget,
    key: str,
    entry: InventoryEntry,
    live: LiveClient,
    changed: Callable[[], None],
) -> Rotated:
    """Change the secret. Where this breaks off, the record says that the sink's secret is outdated."""
    from reconciler.apply import rotation  # noqa: PLC0415 - loads httpx
    from reconciler.apply.secrets import drop_spooled, keep_secret  # noqa: PLC0415 - as above

    _deliver_waiting(opened, key, changed)
    entry = opened.session.entry(key) or entry
    # On disk before the request leaves: a crash right after it would leave a sink whose secret does
    # not work, and a record that says it does (decision 0012).
    opened.session.record(key, replace(entry, secret=_LOST))
    saved: list[str] = []
    client_id = client_id_in(opened.provider, live.body) or ""

    def save(chosen: Secret) -> None:
        path = opened.session.spool(
            key, live.remote_id, chosen, client_id=client_id, unsettled=True
        )
        saved.append(path)

    try:
        secret = rotation.rotate(
            opened.provider,
            opened.transport,
            live,
            key=key,
            save=save,
            before_try=opened.session.check_lock,
        )
    except (*rotation.CERTAIN, InventoryError):
        # The file first: without its lock a run can record nothing, and nothing was sent.
        drop_spooled(opened.session, saved)
        _record_again(opened, key, entry, changed)
        raise
    except BaseException:
        # Which secret holds now, nobody knows.
        changed()
        raise
    changed()
    kept = keep_secret(
        opened.name,
        opened.session,
        opened.sink,
        key=key,
        remote_id=live.remote_id,
        secret=secret,
        client_id=client_id,
    )
    _record_kept(opened, key, with_secret(entry, kept.place), kept)
    if kept.place != _LOST:
        # Left behind it is deleted by the next apply: what is recorded is newer.
        with suppress(InventoryError):
            drop_spooled(opened.session, saved)
    moved = f"until now it was in the sink as {entry.secret_at}" if entry.secret_at else ""
    return Rotated(place=kept.place, location=kept.location, trouble=kept.trouble, note=moved)


def _record_kept(opened: OpenTarget, key: str, entry: InventoryEntry, kept: KeptSecret) -> None:
    """Record where a new secret is. Where that fails the error says it, since no record does."""
    try:
        opened.session.record(key, entry)
    except InventoryError as error:
        where = f"is in {kept.location}" if kept.location else f"is lost: {kept.file_error}"
        problem = f"{error}. The secret of {key} was changed by then; the new one {where}"
    else:
        return
    raise InventoryError(problem)


def _record_again(
    opened: OpenTarget, key: str, entry: InventoryEntry, changed: Callable[[], None]
) -> None:
    """Record what was recorded before. Where that fails, the record is another than before the run."""
    try:
        opened.session.record(key, entry)
    except InventoryError:
        changed()
        raise


def _deliver_waiting(opened: OpenTarget, key: str, changed: Callable[[], None]) -> None:
    """Give the sink what waits for it: left there, a later run would put it in the new secret's place."""
    from reconciler.apply.secrets import deliver_spooled  # noqa: PLC0415 - loads httpx

    deliveries = deliver_spooled(opened.name, opened.session, opened.sink)
    if any(delivery.status is Status.DONE for delivery in deliveries):
        changed()
    for delivery in deliveries:
        if delivery.key == key and delivery.status is Status.FAILED:
            raise SinkError(delivery.message)


def _replace(
    opened: OpenTarget, key: str, succession: Succession, changed: Callable[[], None]
) -> Rotated:
    """Create the new client; what was recorded and stored of it, as an apply would do it."""
    _deliver_waiting(opened, key, changed)
    outcome = succession.carry_out()
    if outcome.may_have_changed:
        changed()
    entry = opened.session.entry(key)
    made = entry is not None and entry.remote_id != succession.old_id
    if entry is None or not made:
        kind = Ambiguous if outcome.status is Status.UNKNOWN else RemoteError
        raise kind(outcome.message)
    done = outcome.status is Status.DONE
    return Rotated(
        successor=entry.remote_id,
        place=entry.secret,
        location=outcome.secret_location,
        trouble="" if done else outcome.message,
        note=outcome.message if done else "",
    )
