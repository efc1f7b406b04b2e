"""Carries out one change: sends its requests, keeps what they brought, and says what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.apply import create as creates
from reconciler.apply import update as guard
from reconciler.apply.exchange import Exchange
from reconciler.core.errors import Ambiguous, InventoryError, NotFound, RemoteError, SinkError
from reconciler.core.model import Action, Outcome, Status
from reconciler.core.pointer import resolve
from reconciler.plan import applied
from reconciler.plan.preconditions import mark
from reconciler.plan.requests import follow_up
from reconciler.provider.secrets import issued

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.apply.context import Scene
    from reconciler.core.model import (
        Change,
        FieldChange,
        JsonObject,
        Manifest,
        Secret,
        SecretPlace,
    )
    from reconciler.provider.model import Provider


class Step:
    """One change on its way: what was sent so far, and what it brought."""

    def __init__(self, scene: Scene, change: Change) -> None:
        self._scene = scene
        self.change = change
        self.remote_id = change.remote_id
        self._exchange = Exchange(scene, change)
        self._kept: SecretPlace = ""
        self._secret_location = ""
        self._trouble = ""
        self._note = ""
        self._server_changed: tuple[FieldChange, ...] = ()

    def run(self, act: Callable[[Step], None]) -> Outcome:
        """Do `act`, and say what became of it: an error ends this change and, if it must, the run."""
        try:
            act(self)
        except (RemoteError, SinkError, InventoryError) as error:
            self._scene.brake.after(error)
            status = Status.UNKNOWN if isinstance(error, Ambiguous) else Status.FAILED
            check = f". {self._what_to_check()}" if isinstance(error, Ambiguous) else ""
            return self.outcome(status, f"{self._trouble}{error}{check}")
        self._scene.brake.after(None)
        if self._trouble:
            return self.outcome(Status.FAILED, self._trouble.rstrip(". "))
        return self.outcome(Status.DONE, self._note)

    def outcome(self, status: Status, message: str = "") -> Outcome:
        """The outcome, with all that is known by now."""
        change, exchange = self.change, self._exchange
        before = None if change.live is None else change.live.body
        return Outcome(
            target=change.target,
            key=change.key,
            action=change.action,
            status=status,
            remote_id=self.remote_id,
            message=message,
            server_changed=self._server_changed,
            secret_location=self._secret_location,
            requests_sent=exchange.sent,
            tracking=exchange.tracking,
            before=self._mark(before),
            after=self._mark(exchange.seen if exchange.sent or exchange.seen else before),
        )

    def create(self) -> None:
        """Create the client; its secret is safe, and its id recorded, before anything else."""
        scene, manifest = self._scene, self._manifest()
        if self.change.action is Action.REPLACE:
            guard.refuse_outdated(scene, self._exchange, self.change)
        body = creates.create(scene, self._exchange, self.change, manifest)
        before = self.change.remote_id if self.change.action is Action.REPLACE else None
        self.remote_id = remote_id = str(resolve(body, scene.provider.identity.pointer))
        self._keep_secret(body, remote_id)
        late = follow_up(scene.provider, manifest.spec, body)
        first = _without_late(scene.provider, manifest) if late else manifest
        self._record(first, body, superseded=before, pending=True)
        for request in late:
            body = self._exchange.write(request, remote_id)
        if late:
            self._record(manifest, body)
        self._compare(manifest, body)

    def update(self) -> None:
        """Send the requests that mend the client, none where it is as wanted, and record it."""
        change, recorder = self.change, self._scene.recorder
        if change.settle:
            recorder.close_create(change.key)
        if change.found == "told" and change.live is not None:
            # Our own create, by a run that died before it could keep what it got.
            self._keep_secret(change.live.body, change.live.remote_id)
        elif change.found in {"stored", "lost"}:
            self._kept = change.found
        body, self._note = guard.update(self._scene, self._exchange, change)
        if change.manifest is None:
            self._remember()
            return
        if change.requests:
            self._compare(change.manifest, body)
        if change.remote_id is not None:
            self._record(change.manifest, body, superseded=change.predecessor)

    def delete(self) -> None:
        """Delete the client, or the predecessor that a replace left, and forget its id."""
        old_id = self.change.remote_id or ""
        if self.change.manifest is not None and self._is_bound(old_id):
            self._trouble = "not deleted: its successor is not bound yet"
            return
        try:
            guard.refuse_moved(self._scene, self._exchange, self.change)
            self._exchange.send(self.change.requests[-1], old_id)
        except NotFound as error:
            if not self._gone(old_id):
                raise error from None
        self._exchange.seen = None
        self._scene.recorder.drop(self.change.key, old_id)

    def _is_bound(self, remote_id: str) -> bool:
        """Whether a client is bound to an id that should be a predecessor's: then it is all it has."""
        entry = self._scene.recorder.entry(self.change.key)
        return entry is not None and entry.remote_id == remote_id

    def _gone(self, remote_id: str) -> bool:
        try:
            self._exchange.look(remote_id)
        except NotFound:
            return True
        return False

    def _remember(self) -> None:
        """Remember of a client that no manifest names any more what the plan says."""
        if self.change.record is not None:
            self._scene.recorder.record(self.change.key, self.change.record)
        if self.change.forget:
            self._scene.recorder.forget(self.change.key)

    def _mark(self, body: JsonObject | None) -> str:
        if body is None or self.change.action is Action.NOOP:
            return ""
        return mark(self._scene.provider, body, self._scene.key)

    def _keep_secret(self, body: JsonObject, remote_id: str) -> None:
        """Store the secret that a create brought, in its sink or else in a private file."""
        scene, key = self._scene, self.change.key
        secret = issued(scene.provider, body)
        if secret is None or _states_secret(scene.provider, self._manifest()):
            return
        try:
            self._secret_location = scene.sink.store(scene.target, key, remote_id, secret)
            self._kept = "stored"
        except SinkError as error:
            scene.brake.after(error)
            self._trouble = f"the client was created, and its secret not stored: {error}. "
            self._trouble += self._spool(key, remote_id, secret)

    def _spool(self, key: str, remote_id: str, secret: Secret) -> str:
        try:
            self._secret_location = self._scene.recorder.spool(key, remote_id, secret)
        except InventoryError as error:
            self._kept = "lost"
            return f"Nor can it be kept elsewhere: {error}. Have the server issue a new one. "
        self._kept = "spooled"
        return (
            f"It is in {self._secret_location}: mend the sink, then apply again or run "
            "`reconciler secrets sync`, which bring it there. "
        )

    def _record(
        self,
        manifest: Manifest,
        body: JsonObject,
        *,
        superseded: str | None = None,
        pending: bool = False,
    ) -> None:
        """Remember the client; a create that is `pending` is over with that, and is told so."""
        scene, key = self._scene, self.change.key
        before = scene.recorder.entry(key)
        old_ids = () if before is None else before.superseded
        if superseded is not None:
            old_ids = tuple(dict.fromkeys((*old_ids, superseded)))
        old_ids = tuple(old_id for old_id in old_ids if old_id not in self.change.vanished)
        same = before is not None and before.remote_id == self.remote_id
        entry = applied.entry(
            scene.provider,
            manifest,
            self.remote_id or "",
            body,
            key=scene.key,
            now=scene.now(),
            superseded=old_ids,
            secret=self._kept or (before.secret if before is not None and same else ""),
        )
        if pending or applied.renews(before, entry):
            scene.recorder.record(key, entry)

    def _compare(self, manifest: Manifest, body: JsonObject) -> None:
        scene = self._scene
        self._server_changed = applied.server_changed(scene.provider, manifest, body, key=scene.key)

    def _manifest(self) -> Manifest:
        if self.change.manifest is None:
            raise ValueError(f"the change of {self.change.key} has no manifest to apply")
        return self.change.manifest

    def _what_to_check(self) -> str:
        provider, key = self._scene.provider, self.change.key
        if self._exchange.sent > 1 or self.change.action not in (Action.CREATE, Action.REPLACE):
            return "Plan again: it shows what came of it"
        if provider.identity.chosen:
            return "Plan again: if the client was created, it is found by the id that was chosen"
        if provider.list is not None:
            return "Plan again: if the client was created, it is found in the server's list"
        name = self._manifest().spec.get("name")
        named = f" named {name!r}" if isinstance(name, str) else ""
        return (
            f"Look for a new client{named} on the server: if it is there, run `reconciler resolve "
            f"{key} --id ID`, else `reconciler resolve {key} --absent`"
        )


def finish_replace(scene: Scene, change: Change, created: Outcome) -> Outcome:
    """Delete the predecessor of a client that was replaced, and join both halves in one outcome."""
    step = Step(scene, change)
    deleted = step.run(Step.delete)
    message = deleted.message
    if deleted.status is not Status.DONE:
        message = (
            f"the new client {created.remote_id} is in place, the old one {change.remote_id} may "
            f"still be there: {message}. The next plan deletes it"
        )
    return replace(
        created,
        status=deleted.status,
        message=message,
        requests_sent=created.requests_sent + deleted.requests_sent,
        tracking=(*created.tracking, *deleted.tracking),
    )


def _states_secret(provider: Provider, manifest: Manifest) -> bool:
    """Whether the user chose the client's secret: then it is where they keep it already."""
    return any(provider.fields[name].secret for name in manifest.spec)


def _without_late(provider: Provider, manifest: Manifest) -> Manifest:
    """The manifest without the fields that a create cannot set, which are not applied yet."""
    spec = {
        name: value
        for name, value in manifest.spec.items()
        if not provider.fields[name].update_only
    }
    return replace(manifest, spec=spec)
