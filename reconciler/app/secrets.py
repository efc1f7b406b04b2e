"""The use case `secrets sync`: gives sinks the secrets that they should have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.app.context import Call, load_valid, open_target
from reconciler.app.secret_places import missing_secrets
from reconciler.core.changes import Status
from reconciler.core.errors import (
    InputError,
    ReconcilerError,
)
from reconciler.plan.guards.rotation import pending_successor_refusal
from reconciler.plan.secrets.places import way_to_a_secret, why_lost, with_secret
from reconciler.plan.selection import select_clients, select_targets
from reconciler.provider.secrets import secret_in, stated_secret

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.apply.context import OpenTarget
    from reconciler.core.model import InventoryEntry, LiveClient, Secret, SecretPlace
    from reconciler.core.project import Project
    from reconciler.plan.selection import Selection


# A name, since as a literal it looks like a password to those who search for such.
_LOST: Final[SecretPlace] = "lost"


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
    """What became of the secrets of one target, by key; `trouble` says why there was no going on."""

    target: str
    clients: tuple[Synced, ...] = ()
    trouble: str = ""


def sync(call: Call, selection: Selection, stop: threading.Event) -> Iterator[Sync]:
    """Store in its sink every secret that a vendor still shows, or that waits in a private file.

    One target after the other, sorted by name; after `stop` is set nothing more is given. Raises
    InputError and SelectionError; an error of one target is in its Sync, and the others go on.
    """
    loaded = load_valid(call)
    names = select_targets(selection, loaded.project.targets)
    known = [manifest for manifest in loaded.manifests if manifest.target in names]
    chosen = {(manifest.target, manifest.name) for manifest in select_clients(selection, known)}
    for name in names:
        keys = {key for target, key in chosen if target == name}
        clients: list[Synced] = []
        trouble = ""
        try:
            with open_target(loaded, name, call) as opened:
                wanted = keys if selection.selectors else None
                # One by one: what was done before an error stays in the list.
                clients.extend(_sync_target(loaded.project, opened, wanted, stop, call.changed))
        # A ReconcilerError too, but about the project: no target is any better off.
        except InputError:
            raise
        except ReconcilerError as error:
            trouble = str(error)
        # With trouble too: what its sink has by then is a part of the news.
        yield Sync(target=name, clients=tuple(clients), trouble=trouble)


def _sync_target(
    project: Project,
    opened: OpenTarget,
    keys: set[str] | None,
    stop: threading.Event,
    changed: Callable[[], None],
) -> Iterator[Synced]:
    """What became of the secrets of one target, for these keys, None for all that are recorded."""
    from reconciler.apply.secrets import waiting_secrets  # noqa: PLC0415 - loads httpx
    from reconciler.http.live import read_state  # noqa: PLC0415 - as above

    entries = opened.context.inventory.entries
    ours = {key: entry for key, entry in entries.items() if keys is None or key in keys}
    # A target without a client of ours needs no sink that works.
    if not ours:
        return
    opened.sink.probe()
    ids = {entry.remote_id for entry in ours.values()}
    seen = read_state(opened.provider, opened.transport, ids).clients
    waiting = waiting_secrets(opened.session)
    missing = missing_secrets(project, opened, ours, one_by_one=True)
    for key in sorted(ours):
        remote_id = ours[key].remote_id
        # Each that is left is reported: who reads the list must not take it for whole.
        if stop.is_set():
            yield _not_tried(opened, key, ours[key])
            continue
        saved = waiting.get((key, remote_id))
        client = seen.get(remote_id)
        yield _sync_client(opened, key, ours[key], client, saved, missing, changed)
    opened.session.flush()


def _sync_client(
    opened: OpenTarget,
    key: str,
    entry: InventoryEntry,
    client: LiveClient | None,
    saved: Secret | None,
    missing: Mapping[str, str] | None,
    changed: Callable[[], None],
) -> Synced:
    """Store the secret of one client in its sink: as the server shows it, else as a file has it."""
    from reconciler.apply.secrets import keep_secret  # noqa: PLC0415 - loads httpx

    skipped = Synced(target=opened.name, key=key, remote_id=entry.remote_id, status=Status.SKIPPED)
    manifest = opened.context.others.get(key)
    if manifest is not None and stated_secret(opened.provider, manifest.spec) is not None:
        return replace(skipped, message="its manifest says where its secret is kept")
    if pending := pending_successor_refusal(opened.context, key):
        return replace(skipped, message=pending.message)
    # What the server shows holds now; one in a file may be from before a change on the server.
    readable = None if client is None else secret_in(opened.provider, client.body)
    secret = readable or saved
    if secret is None:
        return replace(skipped, message=_why_unreadable(opened, client, key, entry, missing))
    kept = keep_secret(
        opened.name,
        opened.session,
        opened.sink,
        key=key,
        remote_id=entry.remote_id,
        secret=secret,
        client_id=entry.client_id,
    )
    if kept.place == "stored" or kept.place != entry.secret:
        changed()
    opened.session.record(key, with_secret(entry, kept.place))
    status = Status.DONE if kept.place == "stored" else Status.FAILED
    return replace(skipped, status=status, location=kept.location, message=kept.trouble)


def _not_tried(opened: OpenTarget, key: str, entry: InventoryEntry) -> Synced:
    return Synced(
        target=opened.name,
        key=key,
        remote_id=entry.remote_id,
        status=Status.FAILED,
        message="not tried, since the run was interrupted",
    )


def _why_unreadable(
    opened: OpenTarget,
    client: LiveClient | None,
    key: str,
    entry: InventoryEntry,
    missing: Mapping[str, str] | None,
) -> str:
    """Why the secret of a client cannot be given to its sink, and what is known of it there."""
    if client is None:
        return "it is not on the server any more"
    way = way_to_a_secret(opened.provider, key)
    if entry.remote_id in opened.context.swept and entry.secret == _LOST:
        return why_lost(opened.context, key, entry.remote_id)
    title = opened.provider.title
    if entry.secret == _LOST:
        return f"{title} does not tell its secret, which is lost: only a new one helps; {way}"
    if not entry.secret:
        return f"{title} does not tell its secret, and nothing is recorded of where it is"
    return f"{title} does not tell its secret any more{_in_sink(key, missing, way)}"


def _in_sink(key: str, missing: Mapping[str, str] | None, way: str) -> str:
    """What the sink says of a secret that the record calls stored."""
    if missing is None:
        return ", and the sink cannot be asked whether it has it"
    if key in missing:
        return f", and {missing[key]}. It may lie on another machine; else {way}"
    return "; the sink has it"
