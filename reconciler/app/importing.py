"""The use case of import: live clients become manifests, bound to them, and nothing about them changes."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import atomic_files
from reconciler.app.context import load_valid, open_target, read_client, target_of
from reconciler.core.errors import InventoryError, SelectionError, SinkError
from reconciler.core.model import Manifest, Source
from reconciler.manifests import catalog, references, writer
from reconciler.manifests.placement import keys_of_existing_files, new_paths
from reconciler.plan import applied
from reconciler.plan.export import Exported, Note, export, keys
from reconciler.plan.guards.clients import client_name
from reconciler.plan.ownership import importable

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.app.context import Call
    from reconciler.apply.context import OpenTarget
    from reconciler.core.changes import Refusal
    from reconciler.core.model import InventoryEntry, LiveClient
    from reconciler.core.project import Reference
    from reconciler.manifests.clients import LoadedProject


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The clients to import: these, else those whose name fits one of `names`, else all.

    Where each client has a token of its own (RFC 7592), `token` refers to that of the one client,
    and `uri` is its address, "" for the endpoint's path.
    """

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    token: Reference | None = None
    uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A client that has a manifest at `path` now; `notes` say what that does not state."""

    key: str
    remote_id: str
    name: str
    path: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A client that was left alone, and why."""

    remote_id: str
    name: str
    why: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import did; `trouble` says what broke it off half-way."""

    target: str
    imported: tuple[Imported, ...]
    skipped: tuple[Skipped, ...]
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A manifest that is about to be written.

    `text` is what the file holds in the end, `bound_text` until the client is recorded.
    """

    client: LiveClient
    key: str
    path: str
    exported: Exported
    text: str
    bound_text: str
    entry: InventoryEntry


def import_clients(
    call: Call, wanted: Wanted, *, into: str | None = None, full: bool = False
) -> Import:
    """Write a manifest for each wanted client of `call.target` that nobody has claimed, and bind it.

    A file holds `metadata.id` until the client is recorded. So whenever the run dies, each file
    leads to the client that is there, and nothing is created, doubled or deleted. Raises the
    ReconcilerErrors, all before the first file is written; what goes wrong later is `trouble`.
    """
    loaded = load_valid(call)
    target = target_of(loaded, "", call.target)
    with open_target(loaded, target, call) as opened:
        seen = _read_wanted(opened, wanted)
        clients, left_alone = importable(opened.context, seen, by_id=bool(wanted.ids))
        # All before the first file: a client that cannot be exported leaves nothing half done.
        drafts = _make_drafts(opened, loaded, target, clients, into=into, full=full)
        imported, trouble = _write(opened, drafts, call.changed)
    names = {client.remote_id: client_name(opened.provider, client.body) for client in seen}
    return Import(
        target=target,
        imported=tuple(imported),
        skipped=tuple(
            Skipped(remote_id=remote_id, name=names[remote_id], why=why)
            for remote_id, why in left_alone.items()
        ),
        trouble=trouble,
    )


def _read_wanted(opened: OpenTarget, wanted: Wanted) -> list[LiveClient]:
    """The clients that are wanted, as the server shows them now."""
    from reconciler.http import live  # noqa: PLC0415 - loads httpx

    provider = opened.context.provider
    if wanted.token is not None:
        return [_read_by_token(opened, wanted, wanted.token)]
    if wanted.ids:
        found = [read_client(opened, remote_id) for remote_id in dict.fromkeys(wanted.ids)]
        # Once more by the server's spelling: two that were typed may be one client.
        return list({client.remote_id: client for client in found}.values())
    if provider.list is None:
        raise SelectionError(
            f"{provider.title} has no list of its clients: name each of them with --id"
        )
    # A client of ours that the list lacks is read by its id, so that what is ours is known for sure.
    known = {entry.remote_id for entry in opened.context.inventory.entries.values()}
    clients = live.read_state(provider, opened.transport, known).clients.values()
    if not wanted.names:
        return list(clients)
    fitting = [
        client
        for client in clients
        if any(
            fnmatchcase(client_name(opened.provider, client.body), pattern)
            for pattern in wanted.names
        )
    ]
    # A pattern that fits nothing is a typo, and no import of nothing.
    if not fitting:
        raise SelectionError(f"no client is named {' or '.join(wanted.names)}")
    return fitting


def _read_by_token(opened: OpenTarget, wanted: Wanted, token: Reference) -> LiveClient:
    """The one client that is wanted, read with its own token, which is kept by then."""
    from reconciler.http.registration.grants import Grant  # noqa: PLC0415 - loads httpx

    grants = opened.transport.grants
    if grants is None:
        raise SelectionError(
            f"{opened.provider.title} gives its clients no tokens of their own: leave the token out"
        )
    (remote_id,) = wanted.ids
    grants.put(remote_id, Grant(token=references.named_value(token), uri=wanted.uri))
    client = read_client(opened, remote_id)
    # Also of a client that is ours and whose token was lost.
    grants.keep("", client.remote_id)
    return client


def _make_drafts(
    opened: OpenTarget,
    loaded: LoadedProject,
    target: str,
    clients: list[LiveClient],
    *,
    into: str | None,
    full: bool,
) -> list[_Draft]:
    context, project = opened.context, loaded.project
    stated = project.targets[target]
    inventory = context.inventory
    # Keys of records and of pending creates too: they mean clients, with or without a manifest.
    taken = {*context.others, *inventory.entries, *inventory.pending}
    names = keys(context.provider, clients, taken)
    # No file is overwritten. Other keys may meet other files, so this goes on until all are free.
    while filled := keys_of_existing_files(
        paths := new_paths(project, stated, names.values(), into)
    ):
        taken |= filled
        names = keys(context.provider, clients, taken)
    validator = catalog.entry(stated.provider, project.root).validator
    drafts = []
    for client in clients:
        key = names[client.remote_id]
        made = export(context.provider, client, validator, key=key, target=target, full=full)
        drafts.append(_make_draft(opened, client, key, paths[key], made))
    return drafts


def _make_draft(
    opened: OpenTarget, client: LiveClient, key: str, path: str, exported: Exported
) -> _Draft:
    context, document = opened.context, exported.document
    manifest = Manifest(
        source=Source(path=path),
        kind=context.provider.kind,
        name=key,
        target=opened.name,
        spec=exported.spec,
    )
    metadata = {"name": key, "target": opened.name, "id": client.remote_id}
    return _Draft(
        client=client,
        key=key,
        path=path,
        exported=exported,
        text=writer.to_yaml(document),
        bound_text=writer.to_yaml({**document, "metadata": metadata}),
        entry=applied.make_entry(
            context.provider,
            manifest,
            client.remote_id,
            client.body,
            key=context.key,
            now=opened.now(),
        ),
    )


def _write(
    opened: OpenTarget, drafts: list[_Draft], changed: Callable[[], None]
) -> tuple[list[Imported], str]:
    """Write and record the drafts; those that have a file now, and what broke it off."""
    done: list[Imported] = []
    trouble = ""
    for draft in drafts:
        path, note = Path(draft.path), ""
        try:
            if (grants := opened.transport.grants) is not None:
                grants.keep(draft.key, draft.client.remote_id)
        except SinkError as error:
            return done, str(error)
        try:
            writer.create_file(path, draft.bound_text)
        except OSError as error:
            return done, f"{draft.path}: {atomic_files.reason(error)}"
        changed()
        try:
            # On disk when this returns: only then may the file lose its id (decision 0009).
            opened.session.record(draft.key, draft.entry)
            if not writer.replace_file(path, draft.bound_text, draft.text):
                note = "the file was changed meanwhile, and keeps it"
        except InventoryError as error:
            note, trouble = "kept, so that the next apply binds the client", str(error)
        except OSError as error:
            note, trouble = "not taken out again", f"{draft.path}: {atomic_files.reason(error)}"
        # Also with trouble: the file is there, so that the report has to name it.
        done.append(_imported(opened, draft, note))
        if trouble:
            break
    return done, trouble


def _imported(opened: OpenTarget, draft: _Draft, note: str) -> Imported:
    more = (Note(field="metadata.id", reason=note),) if note else ()
    return Imported(
        key=draft.key,
        remote_id=draft.client.remote_id,
        name=client_name(opened.provider, draft.client.body),
        path=draft.path,
        notes=(*draft.exported.notes, *more),
    )
