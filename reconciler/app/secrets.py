"""The use cases of secrets: gives a client another one, and sinks what they are to have."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.app import ownership
from reconciler.core.errors import InputError, ReconcilerError, SelectionError
from reconciler.core.model import Refusal, SecretPlace, Status
from reconciler.plan import rotation
from reconciler.plan import selection as selecting
from reconciler.provider.secrets import issued

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from reconciler.app.ownership import Call
    from reconciler.app.target_run import Opened
    from reconciler.core.model import InventoryEntry, LiveClient, LiveState, Manifest
    from reconciler.inventory.spool import SpooledSecret
    from reconciler.manifests.clients import Loaded
    from reconciler.plan.selection import Selection


# A name, since as a literal it looks like a password to those who search for such.
_LOST: Final[SecretPlace] = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """A client that has a new secret: where that is now, and what went wrong on its way there."""

    place: SecretPlace
    location: str
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotatable:
    """A client whose secret `rotate` changes; `sink` says in words where the new one will go."""

    target: str
    key: str
    remote_id: str
    sink: str
    rotate: Callable[[], Rotated]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What became of the secret of one client: done, failed, or skipped, and `message` says why."""

    target: str
    key: str
    remote_id: str
    status: Status
    location: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What a target's sink was given, by key; `trouble` says what broke it off."""

    target: str
    clients: tuple[Synced, ...] = ()
    trouble: str = ""


@contextmanager
def rotating(call: Call, key: str) -> Iterator[Rotatable | Refusal]:
    """The client of `key`, ready to get a new secret, or why it does not.

    It was read just now, and its sink would take a secret. Until the block ends, no other run
    works on the target. Raises SelectionError where nothing is recorded of `key`, and the other
    ReconcilerErrors.
    """
    loaded = ownership.valid(call)
    target = ownership.target_of(loaded, key, call.target)
    with ownership.opened(loaded, target, call) as run:
        entry = run.session.entry(key)
        if entry is None:
            raise SelectionError(f"the inventory of {target} holds no client {key}")
        live = ownership.look(run, entry.remote_id)
        refusal = rotation.refusal(run.situation, key, live, _manifest(loaded, target, key))
        if refusal is not None:
            yield refusal
            return
        run.sink.probe()
        yield Rotatable(
            target=target,
            key=key,
            remote_id=entry.remote_id,
            sink=run.sink.place,
            rotate=lambda: _rotated(run, key, entry, live),
        )


def sync(call: Call, selection: Selection, stop: threading.Event) -> Iterator[Sync]:
    """Give the sinks every secret that a vendor still tells, or that waits in a private file.

    One target after the other, sorted by name; after `stop` is set nothing more is given. Raises InputError and SelectionError; what is wrong
    with one target does not keep the others from going on.
    """
    loaded = ownership.valid(call)
    names = selecting.targets(selection, loaded.project.targets)
    known = [manifest for manifest in loaded.manifests if manifest.target in names]
    chosen = {(manifest.target, manifest.name) for manifest in selecting.clients(selection, known)}
    for name in names:
        keys = {key for target, key in chosen if target == name}
        try:
            with ownership.opened(loaded, name, call) as run:
                clients = _synced(run, loaded, keys if selection.selectors else None, stop)
            yield Sync(target=name, clients=clients)
        except InputError:
            raise
        except ReconcilerError as error:
            yield Sync(target=name, trouble=str(error))


def _manifest(loaded: Loaded, target: str, key: str) -> Manifest | None:
    named = (manifest for manifest in ownership.all_of(loaded, target) if manifest.name == key)
    return next(named, None)


def _rotated(run: Opened, key: str, entry: InventoryEntry, live: LiveClient) -> Rotated:
    """Change the secret; whatever happens on the way, the record says that the sink's is old."""
    from reconciler.apply import rotation as remote  # noqa: PLC0415 - as above
    from reconciler.apply import secrets as delivery  # noqa: PLC0415 - loads httpx

    run.session.record(key, replace(entry, secret=_LOST))
    try:
        secret = remote.rotate(run.situation.provider, run.transport, live, key=key)
    except remote.CERTAIN:
        run.session.record(key, entry)
        raise
    target = run.situation.target
    kept = delivery.keep(
        target, run.session, run.sink, key=key, remote_id=live.remote_id, secret=secret
    )
    run.session.record(key, replace(entry, secret=kept.place))
    return Rotated(place=kept.place, location=kept.location, trouble=kept.trouble)


def _synced(
    run: Opened, loaded: Loaded, keys: set[str] | None, stop: threading.Event
) -> tuple[Synced, ...]:
    """What the sink of one target was given, for these keys, None for all that are recorded."""
    from reconciler.http import live  # noqa: PLC0415 - loads httpx

    entries = run.situation.inventory.entries
    ours = {key: entry for key, entry in entries.items() if keys is None or key in keys}
    if not ours:
        return ()
    run.sink.probe()
    ids = [entry.remote_id for entry in ours.values()]
    seen = live.read_state(run.situation.provider, run.transport, ids)
    waiting = {(each.key, each.client_id): each for each in run.session.spooled_secrets()}
    clients = []
    for key in sorted(ours):
        entry = ours[key]
        if stop.is_set():
            clients.append(_not_tried(run, key, entry))
            continue
        spooled = waiting.get((key, entry.remote_id))
        manifest = _manifest(loaded, run.situation.target, key)
        clients.append(_sync_one(run, key, entry, seen, spooled, manifest))
    run.session.flush()
    return tuple(clients)


def _sync_one(
    run: Opened,
    key: str,
    entry: InventoryEntry,
    seen: LiveState,
    spooled: SpooledSecret | None,
    manifest: Manifest | None,
) -> Synced:
    from reconciler.apply import secrets as delivery  # noqa: PLC0415 - loads httpx

    provider, target = run.situation.provider, run.situation.target
    client = seen.clients.get(entry.remote_id)
    left = Synced(target=target, key=key, remote_id=entry.remote_id, status=Status.SKIPPED)
    if manifest is not None and any(provider.fields[name].secret for name in manifest.spec):
        return replace(left, message="its manifest says where its secret is kept")
    told = None if client is None else issued(provider, client.body)
    secret = told or (spooled.secret if spooled else None)
    if secret is None:
        return replace(left, message=_untold(run, client, entry))
    kept = delivery.keep(
        target, run.session, run.sink, key=key, remote_id=entry.remote_id, secret=secret
    )
    if kept.place != entry.secret:
        run.session.record(key, replace(entry, secret=kept.place))
    status = Status.DONE if kept.place == "stored" else Status.FAILED
    return replace(left, status=status, location=kept.location, message=kept.trouble)


def _not_tried(run: Opened, key: str, entry: InventoryEntry) -> Synced:
    return Synced(
        target=run.situation.target,
        key=key,
        remote_id=entry.remote_id,
        status=Status.FAILED,
        message="not tried, since the run was interrupted",
    )


def _untold(run: Opened, client: LiveClient | None, entry: InventoryEntry) -> str:
    """Why the secret of a client cannot be given to its sink."""
    if client is None:
        return "it is not on the server any more"
    title = run.situation.provider.title
    if entry.secret == _LOST:
        return f"{title} does not tell its secret, which is lost: only a new one helps"
    return f"{title} does not tell its secret any more; what the sink has of it is all there is"
