"""The use cases of ownership: which clients become ours or cease to be, outside of a plan."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.app import planning
from reconciler.core import pointer
from reconciler.core.errors import InventoryError, SelectionError, SinkError
from reconciler.core.model import Manifest, Refusal, Source
from reconciler.manifests.clients import load
from reconciler.plan import selection as selecting
from reconciler.plan.adoption import adoption_refusal, binding, resolution_refusal
from reconciler.plan.selection import Selection
from reconciler.provider.secrets import issued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.app.target_run import Opened
    from reconciler.core.model import InventoryEntry, LiveClient, SecretPlace
    from reconciler.core.project import Project
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.manifests.clients import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What every use case is told: the project file, the target's name or None, and how to wait.

    `lock_timeout` is in seconds.
    """

    project_file: str
    target: str | None
    lock_timeout: float
    log: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A client that is bound to a key now, or was `already`.

    `differing` are the fields that the next apply changes. `secret` says what became of its
    secret, `location` where it is, and `trouble` why it is not where it belongs.
    """

    target: str
    key: str
    remote_id: str
    already: bool = False
    differing: tuple[str, ...] = ()
    secret: SecretPlace = ""
    location: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgettable:
    """What the record holds of a key, which `forget` ends; `has_manifest` says that git names it."""

    target: str
    key: str
    entry: InventoryEntry
    has_manifest: bool
    forget: Callable[[], None]


def adopt(call: Call, key: str, remote_id: str) -> Bound | Refusal:
    """Bind the manifest `key` to a client that is read first, and record what is as wanted.

    Raises SelectionError where no manifest has that key, and the other ReconcilerErrors.
    """
    loaded = valid(call)
    target = target_of(loaded, key, call.target)
    manifest = _manifest(loaded, target, key)
    if manifest is None:
        raise SelectionError(f"no manifest of target {target} is named {key}")
    with opened(loaded, target, call) as run:
        client = look(run, remote_id)
        refusal = adoption_refusal(run.situation, client, manifest, all_of(loaded, target))
        if refusal is not None:
            return refusal
        bound = binding(run.situation, client, manifest, now=run.now())
        already = key in run.situation.inventory.entries
        if not already:
            run.session.record(key, bound.entry)
    return Bound(
        target=target,
        key=key,
        remote_id=client.remote_id,
        already=already,
        differing=tuple(change.field for change in bound.differing),
    )


@contextmanager
def forgetting(call: Call, key: str) -> Iterator[Forgettable]:
    """What the record holds of `key`; until the block ends, no other run changes the record.

    Raises SelectionError where it holds nothing.
    """
    loaded = load(call.project_file)
    target = target_of(loaded, key, call.target)
    with recorded(loaded.project, target, call) as session:
        entry = session.entry(key)
        if entry is None:
            raise SelectionError(f"the inventory of {target} holds no client {key}")

        def forget() -> None:
            session.forget(key)
            session.flush()

        yield Forgettable(
            target=target,
            key=key,
            entry=entry,
            has_manifest=_manifest(loaded, target, key) is not None,
            forget=forget,
        )


def resolve_absent(call: Call, key: str) -> str:
    """Close the pending create of `key` as one that made nothing; the target's name.

    Raises SelectionError where none is pending.
    """
    loaded = load(call.project_file)
    target = target_of(loaded, key, call.target)
    with recorded(loaded.project, target, call) as session:
        if key not in session.inventory.pending:
            raise _nothing_pending(target, key)
        session.close_create(key)
        session.flush()
    return target


def resolve(call: Call, key: str, remote_id: str) -> Bound | Refusal:
    """Bind the client that the pending create of `key` made, and keep its secret, if it is told.

    Raises SelectionError where none is pending, and the other ReconcilerErrors.
    """
    loaded = valid(call)
    target = target_of(loaded, key, call.target)
    with opened(loaded, target, call) as run:
        intent = run.situation.inventory.pending.get(key)
        if intent is None:
            raise _nothing_pending(target, key)
        client = look(run, remote_id)
        refusal = resolution_refusal(run.situation, client, intent, all_of(loaded, target))
        if refusal is not None:
            return refusal
        manifest = _manifest(loaded, target, key) or _unwritten(run, target, key)
        secret, location, trouble = _kept_secret(run, manifest, client)
        before = run.session.entry(key)
        old = () if before is None else before.superseded
        predecessor = () if intent.predecessor is None else (intent.predecessor,)
        bound = binding(
            run.situation,
            client,
            manifest,
            now=run.now(),
            superseded=(*old, *predecessor),
            secret=secret,
        )
        run.session.record(key, bound.entry)
    return Bound(
        target=target,
        key=key,
        remote_id=client.remote_id,
        differing=tuple(change.field for change in bound.differing),
        secret=secret,
        location=location,
        trouble=trouble,
    )


def valid(call: Call) -> Loaded:
    """The project; InputError where anything in it is wrong."""
    loaded = load(call.project_file)
    planning.refuse_errors(loaded.problems)
    return loaded


def target_of(loaded: Loaded, key: str, stated: str | None) -> str:
    """The target that is meant: the stated or only one, else the one with a manifest `key`."""
    targets = loaded.project.targets
    if stated is not None:
        return selecting.targets(Selection(targets=(stated,)), targets)[0]
    named = {manifest.target for manifest in loaded.manifests if manifest.name == key}
    likely = tuple(targets) if len(targets) == 1 else tuple(named)
    if len(likely) != 1:
        raise SelectionError(f"say which target {key} is of: --target {'|'.join(sorted(targets))}")
    return likely[0]


@contextmanager
def opened(loaded: Loaded, target: str, call: Call) -> Iterator[Opened]:
    """The open resources of a target, its record locked."""
    from reconciler.app.target_run import TargetRun  # noqa: PLC0415 - loads httpx; --help must not

    # No manifest is planned here, so that none of their references has to lead anywhere.
    alone = replace(loaded, manifests=())
    (job,) = planning.jobs_of(alone, Selection(targets=(target,)), call.log)
    with ExitStack() as stack:
        yield TargetRun(job).enter(stack, lock=True, timeout=call.lock_timeout)


@contextmanager
def recorded(project: Project, target: str, call: Call) -> Iterator[OpenInventory]:
    """The record of a target, locked, without its server or any credential."""
    from reconciler.app.target_run import store_of  # noqa: PLC0415 - as above

    with store_of(project).open(target, lock=True, timeout=call.lock_timeout) as session:
        yield session


def look(run: Opened, remote_id: str) -> LiveClient:
    """The client as the server shows it, with its id as the server spells it. RemoteErrors."""
    from reconciler.http.live import read_client  # noqa: PLC0415 - as above

    client = read_client(run.situation.provider, run.transport, remote_id)
    spelled = str(pointer.resolve(client.body, run.situation.provider.identity.pointer))
    return replace(client, remote_id=spelled)


def all_of(loaded: Loaded, target: str) -> tuple[Manifest, ...]:
    """The manifests of a target."""
    return tuple(manifest for manifest in loaded.manifests if manifest.target == target)


def _manifest(loaded: Loaded, target: str, key: str) -> Manifest | None:
    named = (manifest for manifest in all_of(loaded, target) if manifest.name == key)
    return next(named, None)


def _unwritten(run: Opened, target: str, key: str) -> Manifest:
    """What stands for a manifest that is not there any more: it wants nothing."""
    kind = run.situation.provider.kind
    return Manifest(source=Source(path=""), kind=kind, name=key, target=target, spec={})


def _kept_secret(
    run: Opened, manifest: Manifest, client: LiveClient
) -> tuple[SecretPlace, str, str]:
    """Store the secret of a client that was found again; its place, where that is, and what failed."""
    provider = run.situation.provider
    if any(provider.fields[name].secret for name in manifest.spec):
        return "", "", ""  # the user chose it, and has it
    secret = issued(provider, client.body)
    if secret is None:
        return "lost", "", ""
    target, key = manifest.target, manifest.name
    try:
        return "stored", run.sink.store(target, key, client.remote_id, secret), ""
    except SinkError as error:
        trouble = str(error)
    try:
        return "spooled", run.session.spool(key, client.remote_id, secret), trouble
    except InventoryError as error:
        return "lost", "", f"{trouble}; {error}"


def _nothing_pending(target: str, key: str) -> SelectionError:
    return SelectionError(f"no create of {key} is pending on {target}: there is nothing to resolve")
