"""Carries out one change: sends its requests, keeps what they brought, and says what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core import compiler, record
from reconciler.core.errors import (
    Ambiguous,
    BadAnswer,
    InventoryError,
    NotFound,
    RemoteError,
    SinkError,
    Unreachable,
)
from reconciler.core.model import Action, Outcome, Status
from reconciler.core.pointer import resolve
from reconciler.core.secrets import issued
from reconciler.remote.live import client_in, read_one

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.model import (
        Change,
        FieldChange,
        JsonObject,
        Manifest,
        Operation,
        Request,
        Secret,
    )
    from reconciler.core.provider import Endpoint, Provider
    from reconciler.remote.scene import Scene
    from reconciler.remote.transport import Answer


class Step:
    """One change on its way: what was sent so far, and what it brought."""

    def __init__(self, scene: Scene, change: Change) -> None:
        self._scene = scene
        self.change = change
        self.remote_id = change.remote_id
        self._sent = 0
        self._secret_location = ""
        self._trouble = ""
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
        return self.outcome(Status.DONE)

    def outcome(self, status: Status, message: str = "") -> Outcome:
        """The outcome, with all that is known by now."""
        change = self.change
        return Outcome(
            target=change.target,
            key=change.key,
            action=change.action,
            status=status,
            remote_id=self.remote_id,
            message=message,
            server_changed=self._server_changed,
            secret_location=self._secret_location,
            requests_sent=self._sent,
        )

    def create(self) -> None:
        """Create the client; its secret is safe, and its id recorded, before anything else."""
        scene, manifest = self._scene, self._manifest()
        body = self._write(self.change.requests[0], "")
        before = self.change.remote_id if self.change.action is Action.REPLACE else None
        self.remote_id = remote_id = str(resolve(body, scene.provider.identity.pointer))
        self._keep_secret(body, remote_id)
        follow_up = compiler.follow_up(scene.provider, manifest.spec, body)
        first = _without_late(scene.provider, manifest) if follow_up else manifest
        self._record(first, body, superseded=before)
        for request in follow_up:
            body = self._write(request, remote_id)
        if follow_up:
            self._record(manifest, body)
        self._compare(manifest, body)

    def update(self) -> None:
        """Send the requests that mend the client, none where it is as wanted, and record it."""
        manifest, live = self._manifest(), self.change.live
        remote_id = self.change.remote_id or ""
        body = live.body if live is not None else {}
        if self.change.action is Action.ADOPT and manifest.id is None:
            # Our own create, by a run that died before it could keep what it got.
            self._keep_secret(body, remote_id)
        for request in self.change.requests:
            body = self._write(request, remote_id)
        if self.change.requests:
            self._compare(manifest, body)
        self._record(manifest, body)

    def delete(self) -> None:
        """Delete the client, or the predecessor that a replace left, and forget its id."""
        old_id = self.change.remote_id or ""
        request = self.change.requests[-1]
        try:
            self._send(request, old_id)
        except NotFound as error:
            if not self._gone(old_id):
                raise error from None
        self._scene.recorder.drop(self.change.key, old_id)

    def _gone(self, remote_id: str) -> bool:
        try:
            read_one(self._scene.provider, self._scene.transport, remote_id)
        except NotFound:
            return True
        return False

    def _write(self, request: Request, remote_id: str) -> JsonObject:
        """Send a create or an update, and give the client that the answer shows, sealed."""
        answer = self._send(request, remote_id)
        endpoint = _endpoint(self._scene.provider, request.operation)
        body = client_in(self._scene.provider, endpoint, answer)
        if body is None:
            kind = Ambiguous if request.operation == "create" else BadAnswer
            raise kind(
                f"{self.change.target}/{self.change.key}: {request.method} was answered with "
                f"{answer.status} and no client that has an id",
                status=answer.status,
            )
        return body

    def _send(self, request: Request, remote_id: str) -> Answer:
        try:
            answer = self._scene.transport.send(
                request.method,
                compiler.path_for(request, remote_id),
                body=request.body,
                content_type=request.content_type,
                expect=_endpoint(self._scene.provider, request.operation).expect,
                subject=self.change.key,
            )
        except Unreachable:
            raise
        except RemoteError:
            self._sent += 1
            raise
        self._sent += 1
        return answer

    def _keep_secret(self, body: JsonObject, remote_id: str) -> None:
        """Store the secret that a create brought, in its sink or else in a private file."""
        scene, key = self._scene, self.change.key
        secret = issued(scene.provider, body)
        if secret is None or _states_secret(scene.provider, self._manifest()):
            return
        try:
            self._secret_location = scene.sink.store(scene.target, key, remote_id, secret)
        except SinkError as error:
            scene.brake.after(error)
            self._trouble = f"the client was created, and its secret not stored: {error}. "
            self._trouble += self._spool(key, remote_id, secret)

    def _spool(self, key: str, remote_id: str, secret: Secret) -> str:
        try:
            self._secret_location = self._scene.recorder.spool(key, remote_id, secret)
        except InventoryError as error:
            return f"Nor can it be kept elsewhere: {error}. Have the server issue a new one. "
        return (
            f"It is in {self._secret_location}: bring it to where it belongs, "
            "then delete that file. "
        )

    def _record(self, manifest: Manifest, body: JsonObject, superseded: str | None = None) -> None:
        scene, key = self._scene, self.change.key
        before = scene.recorder.entry(key)
        old_ids = () if before is None else before.superseded
        if superseded is not None:
            old_ids = tuple(dict.fromkeys((*old_ids, superseded)))
        entry = record.entry(
            scene.provider,
            manifest,
            self.remote_id or "",
            body,
            key=scene.key,
            now=scene.now(),
            superseded=old_ids,
        )
        if record.renews(before, entry):
            scene.recorder.record(key, entry)

    def _compare(self, manifest: Manifest, body: JsonObject) -> None:
        scene = self._scene
        self._server_changed = record.server_changed(scene.provider, manifest, body, key=scene.key)

    def _manifest(self) -> Manifest:
        if self.change.manifest is None:
            raise ValueError(f"the change of {self.change.key} has no manifest to apply")
        return self.change.manifest

    def _what_to_check(self) -> str:
        if self._sent > 1 or self.change.action not in (Action.CREATE, Action.REPLACE):
            return "Plan again: it shows what came of it"
        if self._scene.provider.identity.chosen:
            return "Plan again: if the client was created, it is found by the id that was chosen"
        name = self._manifest().spec.get("name")
        named = f" named {name!r}" if isinstance(name, str) else ""
        return (
            f"Look for a new client{named} on the server: if it is there, put its id into "
            "metadata.id, or delete it; if not, apply again"
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
    )


def _endpoint(provider: Provider, operation: Operation) -> Endpoint:
    endpoints = {
        "create": provider.create,
        "update": provider.update,
        "delete": provider.delete or provider.read,
    }
    return endpoints[operation]


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
