"""Carries out one change: sends its requests, stores the secret they bring, records the client, reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.apply.create import create, create_id
from reconciler.apply.move import move_client
from reconciler.apply.request_log import RequestLog
from reconciler.apply.secrets import keep_secret, second_key
from reconciler.apply.update import refuse_if_moved, refuse_replace_if_moved, update
from reconciler.apply.verify import Verdict, Verifier
from reconciler.core.changes import (
    Action,
    ForgetClient,
    Outcome,
    RecordClient,
    RecordEntry,
    RecordMove,
    Status,
)
from reconciler.core.errors import Ambiguous, InventoryError, NotFound, RemoteError, SinkError
from reconciler.core.times import minute
from reconciler.plan.applied import bind_entry, keep_unfinished, make_entry, renews
from reconciler.plan.preconditions import fingerprint_client
from reconciler.plan.record.standing import with_origin
from reconciler.plan.requests import late_requests
from reconciler.plan.secrets.places import way_to_a_secret
from reconciler.plan.successors.grace import lives_until, predecessors_after
from reconciler.provider.identity import client_id_in, id_in
from reconciler.provider.secrets import other_secrets, secret_in, stated_secret, untold_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.apply.context import OpenTarget
    from reconciler.apply.secrets import KeptSecret
    from reconciler.core.changes import Change, FieldChange
    from reconciler.core.model import InventoryEntry, JsonObject, Manifest, Secret, SecretPlace
    from reconciler.provider.model import Provider


class ChangeRun:
    """One change while it is carried out: what was sent so far, and what it brought."""

    def __init__(self, target: OpenTarget, change: Change) -> None:
        self._target = target
        self.change = change
        self.remote_id = change.remote_id
        self._log = RequestLog(target, change)
        self._secret_place: SecretPlace = ""
        self._secret_location = ""
        self._trouble = ""
        self._note = ""
        self._server_changed: tuple[FieldChange, ...] = ()
        self._untaken: frozenset[str] = frozenset()

    def run(self, act: Callable[[ChangeRun], None]) -> Outcome:
        """Do `act`. The outcome: an error ends this change and, where `StopSignal` says so, the run."""
        try:
            act(self)
        except (RemoteError, SinkError, InventoryError) as error:
            self._target.stop.note_end(error)
            status = Status.UNKNOWN if isinstance(error, Ambiguous) else Status.FAILED
            check = f". {self._what_to_check()}" if isinstance(error, Ambiguous) else ""
            # First what went wrong with the secret: an error of a later step does not replace it.
            return self.outcome(status, f"{self._trouble}{error}{check}")
        self._target.stop.note_end(None)
        if self._trouble:
            return self.outcome(Status.FAILED, self._trouble.rstrip(". "))
        return self.outcome(Status.DONE, self._note)

    def outcome(self, status: Status, message: str = "") -> Outcome:
        """The outcome, with all that is known by now."""
        change, log = self.change, self._log
        before = None if change.live is None else change.live.body
        return Outcome(
            target=change.target,
            key=change.key,
            action=change.action,
            status=status,
            remote_id=self.remote_id,
            client_id=change.client_id,
            message=message,
            server_changed=self._server_changed,
            secret_location=self._secret_location,
            requests_sent=log.sent,
            tracking=log.tracking,
            before=self._fingerprint(before),
            after=self._fingerprint(log.seen if log.sent or log.seen else before),
            # A client that was found made, or changed, took what was sent, whatever answered.
            accepted=log.accepted or bool(self._untaken),
        )

    def create(self) -> None:
        """Create the client; its secret is safe, and its id recorded, before anything else."""
        target, manifest = self._target, self._manifest()
        if self.change.action is Action.REPLACE:
            refuse_replace_if_moved(target, self._log, self.change)
            self._bind_replaced()
        try:
            body = create(target, self._log, self.change, manifest)
        except Ambiguous:
            self._keep_nobodys_secret()
            raise
        self.remote_id = remote_id = id_in(target.provider, body) or ""
        self._disown_without_lock(body, remote_id)
        # The sink comes first: what is recorded can be found out again, the secret cannot.
        self._keep_secret(body, remote_id)
        untold = self._why_untold(body)
        late = late_requests(target.provider, manifest.spec, body)
        # Without the late fields, so that a run that dies before their request leaves them planned.
        first = _without_late(target.provider, manifest) if late else manifest
        self._record(first, body, ends_create=True)
        for request in late:
            body = self._log.write(request, remote_id)
        body = self._verify(manifest, body)
        if late:
            self._record(manifest, body)
        self._note = self._note or untold
        self._tell_grace()

    def update(self) -> None:
        """Send the update of the client, none where it is as wanted, and record it."""
        change = self.change
        if isinstance(change.record, RecordClient):
            self._prepare_record(change.record)
        body, self._note = update(self._target, self._log, change)
        if change.requests and change.manifest is None:
            self._note_verdict(self._verifier.verify_removal(body))
            if self._untaken:
                return
        match change.record:
            case RecordEntry(entry=entry):
                self._target.session.record(change.key, entry)
            case ForgetClient():
                self._target.session.forget(change.key)
        if change.manifest is None:
            return
        # Without a request nothing was sent that the server could have answered otherwise.
        if change.requests:
            body = self._verify(change.manifest, body)
            self._note = self._note or self._verifier.what_vanished(body)
        if change.remote_id is not None:
            self._record(change.manifest, body)

    def move(self) -> None:
        """Record the client under its new key; nothing is sent."""
        moved, target = self.change.record, self._target
        if isinstance(moved, RecordMove):
            source = target.records[moved.target]
            new = (self.change.target, self.change.key)
            move_client(source, (moved.target, moved.key), target.session, new)

    def delete(self) -> None:
        """Delete the client, or the predecessor that a replace left, and forget its id."""
        old_id = self.change.remote_id or ""
        if self.change.manifest is not None and (wait := self._why_still_needed(old_id)):
            self._trouble = f"not deleted: {wait}"
            return
        try:
            refuse_if_moved(self._target, self._log, self.change)
            self._log.send(self.change.requests[-1], old_id)
        except NotFound as error:
            # DELETE is idempotent (RFC 9110 section 9.2.2), but a 404 may come from a gateway too:
            # only a 404 on a read says that the client is gone.
            if not self._is_gone(old_id):
                raise error from None
        # A client that is gone has no state after the change, though it was read before.
        self._log.seen = None
        self._target.session.drop(self.change.key, old_id)

    def _prepare_record(self, wanted: RecordClient) -> None:
        """Write down, before the first request, that a pending create is over, and keep its secret."""
        if wanted.abandons_create:
            self._target.session.close_create(self.change.key)
        if wanted.secret == "readable" and self.change.live is not None:  # noqa: S105 - a state
            # Our own create, by a run that died before it could keep what it got.
            self._keep_secret(self.change.live.body, self.change.live.remote_id)
        elif wanted.secret != "readable":  # noqa: S105 - as above
            self._secret_place = wanted.secret

    def _bind_replaced(self) -> None:
        """Record the client that is to be replaced, where a run that died made it.

        Else nothing would say that it is ours if this run died after its own create.
        """
        change, target = self.change, self._target
        before = target.session.entry(change.key)
        if change.live is None or (before is not None and before.remote_id == change.remote_id):
            return
        old_ids: tuple[str, ...] = ()
        if isinstance(change.record, RecordClient):
            self._prepare_record(change.record)
            old_ids = change.record.superseded
        since = predecessors_after(target.context, change, before, old_ids, now=target.now())
        bound = bind_entry(
            target.context,
            change.live,
            self._manifest(),
            now=target.now(),
            superseded=old_ids,
            superseded_at=since,
            secret=self._secret_place,
        )
        target.session.record(change.key, bound.entry)

    def _why_still_needed(self, old_id: str) -> str:
        """Why a predecessor may not be deleted yet, "" where it may."""
        entry = self._target.session.entry(self.change.key)
        if entry is not None and entry.remote_id == old_id:
            return "its successor is not bound yet"
        # The replace that was to bring another secret has failed: this one may be in use.
        lost = entry is not None and entry.secret == "lost"  # noqa: S105 - a state
        return "the secret of its successor is lost" if lost else ""

    def _is_gone(self, remote_id: str) -> bool:
        try:
            self._log.read(remote_id)
        except NotFound:
            return True
        return False

    def _fingerprint(self, body: JsonObject | None) -> str:
        if body is None or self.change.action is Action.NOOP:
            return ""
        return fingerprint_client(self._target.provider, body, self._target.key)

    def _keep_secret(self, body: JsonObject, remote_id: str) -> None:
        """Store what a create brought in secrets, each in its sink or else in a private file."""
        provider, key = self._target.provider, self.change.key
        secret = secret_in(provider, body) or self._log.told
        client_id = client_id_in(provider, body) or ""
        # One that the manifest states is where its owner keeps it already.
        if secret is not None and stated_secret(provider, self._manifest().spec) is None:
            kept = self._keep(key, remote_id, secret, "secret", client_id)
            self._secret_place, self._secret_location = kept.place, kept.location
        for name, other in other_secrets(provider, body):
            kept = self._keep(second_key(key, name), remote_id, other, name, client_id)
            where = f"its {name} is in {kept.location}" if kept.location else ""
            self._secret_location = "; ".join(filter(None, (self._secret_location, where)))

    def _why_untold(self, body: JsonObject) -> str:
        """What the answer to a create shows in the place of the client's secret, in a sentence; "" where it told it."""
        provider = self._target.provider
        stated = stated_secret(provider, self._manifest().spec) is not None
        shown = "" if stated or self._log.told is not None else untold_secret(provider, body)
        if not shown:
            return ""
        way = way_to_a_secret(provider, self.change.key)
        return f"the server told {shown} in the place of its secret: if it has one, {way}"

    def _keep_nobodys_secret(self) -> None:
        """Keep the secret of a create whose answer does not say which client it is of."""
        told = self._log.told
        if told is None:
            return
        path = self._target.session.spool(self.change.key, "", told, unsettled=True)
        self._secret_location = path

    def _disown_without_lock(self, body: JsonObject, remote_id: str) -> None:
        """Keep the secrets of a new client in private files alone if this run has lost its lock.

        Raises InventoryError then: another run may have made the client of this key, and its secret
        is in the sink.
        """
        session, provider = self._target.session, self._target.provider
        try:
            session.check_lock()
        except InventoryError as error:
            lost = error
        else:
            return
        key, found = self.change.key, dict(other_secrets(provider, body))
        secrets = {second_key(key, name): other for name, other in found.items()}
        if (secret := secret_in(provider, body)) is not None:
            secrets[key] = secret
        kept, client_id = [], client_id_in(provider, body) or ""
        for each, value in sorted(secrets.items()):
            try:
                path = session.spool(each, remote_id, value, client_id=client_id)
                kept.append(f"its secret is in {path}")
            except InventoryError as error:
                kept.append(f"its secret is lost: {error}")
        self._secret_location = "; ".join(kept)
        raise InventoryError(
            f"the client {remote_id} was created, and is nobody's: {'; '.join(kept) or 'it has no secret'}. "
            f"Plan again: where {key} is another client by then, delete {remote_id} on the server. "
            f"The reason: {lost}"
        )

    def _keep(
        self, key: str, remote_id: str, secret: Secret, name: str, client_id: str
    ) -> KeptSecret:
        target = self._target
        kept = keep_secret(
            target.name,
            target.session,
            target.sink,
            key=key,
            remote_id=remote_id,
            secret=secret,
            client_id=client_id,
        )
        if kept.sink_error:
            target.stop.note_end(SinkError(kept.sink_error))
            self._trouble += (
                f"the client was created, and its {name} not stored: {kept.sink_error}. "
            )
            self._trouble += kept.what_to_do
        return kept

    def _record(self, manifest: Manifest, body: JsonObject, *, ends_create: bool = False) -> None:
        """Record the client if anything is new of it; with `ends_create` always, to close its pending create."""
        target, key = self._target, self.change.key
        before = target.session.entry(key)
        entry = make_entry(
            target.provider,
            manifest,
            self.remote_id or "",
            body,
            key=target.key,
            now=target.now(),
            predecessors=predecessors_after(
                target.context, self.change, before, self._superseded(before), now=target.now()
            ),
            secret=self._secret_place,
        )
        if before is not None and before.remote_id == self.remote_id and not self._secret_place:
            entry = replace(entry, secret=before.secret, secret_at=before.secret_at)
        # Of what a create asked for, the record has what came of it: another would come out the same.
        if self._untaken and self.change.action not in (Action.CREATE, Action.REPLACE):
            entry = keep_unfinished(entry, before, self._untaken)
        entry = with_origin(self.change, entry, before)
        if ends_create or renews(before, entry):
            target.session.record(key, entry)

    def _superseded(self, before: InventoryEntry | None) -> tuple[str, ...]:
        """The predecessors that are to be deleted, a replaced client among them."""
        # The plan's list and not the record's: it leaves out predecessors that are gone already.
        old_ids = () if before is None else before.superseded
        if isinstance(self.change.record, RecordClient):
            old_ids = self.change.record.superseded
        if self.change.action is Action.REPLACE and self.change.remote_id is not None:
            old_ids = tuple(dict.fromkeys((*old_ids, self.change.remote_id)))
        return old_ids

    def _verify(self, manifest: Manifest, body: JsonObject) -> JsonObject:
        """Make sure that the server shows what is wanted. What it shows; else that is this change's trouble."""
        return self._note_verdict(self._verifier.verify(manifest, body))

    def _note_verdict(self, verdict: Verdict) -> JsonObject:
        self._server_changed, self._untaken = verdict.server_changed, verdict.untaken
        self._trouble += verdict.trouble
        return verdict.body

    @property
    def _verifier(self) -> Verifier:
        return Verifier(self._target, self._log, self.change, self.remote_id or "")

    def _tell_grace(self) -> None:
        """Say until when the client lives on that was replaced, where an apply after this deletes it."""
        entry = self._target.session.entry(self.change.key)
        if self.change.action is not Action.REPLACE or entry is None:
            return
        context = replace(self._target.context, now=self._target.now())
        old_id = self.change.remote_id or ""
        until = lives_until(context, entry, self.change.manifest, old_id)
        if until is not None:
            self._note = f"{old_id} lives until {minute(until)}, then the next apply deletes it"

    def _manifest(self) -> Manifest:
        if self.change.manifest is None:
            raise ValueError(f"the change of {self.change.key} has no manifest to apply")
        return self.change.manifest

    def _what_to_check(self) -> str:
        provider, key = self._target.provider, self.change.key
        # A second request means that the create was answered, and the client is on record by then.
        if self._log.sent > 1 or self.change.action not in (Action.CREATE, Action.REPLACE):
            return "Plan again: it shows what came of it"
        if create_id(provider, self.change.requests[0]) is not None:
            return "Plan again: if the client was created, it is found by the id that was chosen"
        if provider.list is not None:
            return "Plan again: if the client was created, it is found in the server's list"
        # Not `client_name`: a name from a reference is a secret, and this is a message.
        name = self._manifest().spec.get("name")
        named = f" named {name!r}" if isinstance(name, str) else ""
        return (
            f"Look for a new client{named} on the server: if it is there, run `reconciler resolve "
            f"{key} --id ID`, else `reconciler resolve {key} --absent`"
        )


def delete_predecessor(target: OpenTarget, change: Change, created: Outcome) -> Outcome:
    """Delete the predecessor of a client that was replaced, and join both halves in one outcome."""
    # `delete` sends the last request of a change, which in a replace is the predecessor's delete.
    deleted = ChangeRun(target, change).run(ChangeRun.delete)
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


def _without_late(provider: Provider, manifest: Manifest) -> Manifest:
    """The manifest without the fields that a create cannot set, which are not applied yet."""
    spec = {
        name: value
        for name, value in manifest.spec.items()
        if not provider.fields[name].update_only
    }
    return replace(manifest, spec=spec)
