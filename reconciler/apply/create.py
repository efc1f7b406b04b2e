"""Sends the POST that makes a client, so that none is made twice and none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Action
from reconciler.core.errors import (
    Ambiguous,
    ChangedMeanwhile,
    InventoryError,
    NotFound,
    Rejected,
    RemoteError,
    ServerFailed,
)
from reconciler.core.model import Intent
from reconciler.http.retry import ATTEMPTS
from reconciler.plan.diff import compare
from reconciler.plan.record.intents import sealed_intent, sent_body, sent_facts
from reconciler.provider.identity import id_in
from reconciler.provider.model import Chosen

if TYPE_CHECKING:
    from reconciler.apply.context import OpenTarget
    from reconciler.apply.request_log import RequestLog
    from reconciler.core.changes import Change, Request
    from reconciler.core.model import JsonObject, Manifest
    from reconciler.provider.model import Provider

# How servers say that a chosen id is taken: 409 is HTTP's word for it (RFC 9110 section 15.5.10),
# 422 what frameworks answer that check it like any other value.
_TAKEN: Final = frozenset({409, 422})
# RFC 9110 section 15.6.1.
_SERVER_GAVE_UP: Final = 500


def create(target: OpenTarget, log: RequestLog, change: Change, manifest: Manifest) -> JsonObject:
    """Create the client of `change`. What the server shows of it, sealed.

    The intent is on disk before the request leaves. It is closed where the server certainly refused
    or never got the request, and left open where nobody knows; recording the client closes it. Where
    the id was chosen, a create that got no answer is settled at once: by that id the client is read,
    and created again where it is absent. Where a chosen id is taken by a client that is as wanted,
    that is the client. An answer that shows a client which this create cannot have made is none.
    """
    body = _create(target, log, change, manifest)
    remote_id = id_in(target.provider, body) or ""
    if whose := target.created.claim(target.context, change.key, remote_id):
        # Success, so that a client may have been made: the intent stays open.
        raise Ambiguous(
            f"{target.name}/{change.key}: the create was answered with the id {remote_id}, which is "
            f"{whose}: nothing was recorded of it"
        )
    return body


def _create(target: OpenTarget, log: RequestLog, change: Change, manifest: Manifest) -> JsonObject:
    """The same, whatever client the answer shows."""
    request = change.requests[0]
    intent = _make_intent(target, change, request)
    # Without the lock no intent may be left either, that nobody could settle.
    target.session.check_lock()
    target.session.intend(change.key, intent)
    try:
        return _send(target, log, request, intent.remote_id)
    # A RemoteError too, and the one after which the intent has to stay open.
    except Ambiguous:
        raise
    except RemoteError as refused:
        # The POST of a run before, or of one at the same time, may have made it after all. An id
        # that a person chose may be taken by a client that is not ours.
        made_here = target.provider.identity.chosen is Chosen.UUID
        if made_here and intent.remote_id is not None and _is_taken(refused):
            found = _existing_client(target, log, manifest, intent.remote_id, refused)
            if found is not None:
                return found
        _close_create(target, change.key)
        raise


def _send(
    target: OpenTarget, log: RequestLog, request: Request, chosen_id: str | None
) -> JsonObject:
    """What the server shows of the client after the POST, which is repeated where that makes no second client."""
    attempt = 1
    while True:
        try:
            return log.write(request, chosen_id or "")
        except Ambiguous as lost:
            if chosen_id is None:
                raise
            found = _read_chosen(log, chosen_id, lost)
            if found is not None:
                return found
            if attempt == ATTEMPTS or target.stop.reason(creates=True):
                raise _still_absent(lost, chosen_id, attempt) from None
            target.transport.wait_to_repeat(attempt, lost)
        except Rejected as refused:
            # What an earlier try made, later than its read could see it, is this very client.
            if chosen_id is None or attempt == 1 or not _is_taken(refused):
                raise
            found = _read_chosen(log, chosen_id, refused)
            if found is None:
                raise
            return found
        attempt += 1


def _read_chosen(log: RequestLog, chosen_id: str, failed: RemoteError) -> JsonObject | None:
    """The client that has the chosen id, None where the server says that nobody has it."""
    try:
        return log.read(chosen_id)
    except NotFound:
        return None
    except RemoteError as error:
        # Not a refusal, which would close the intent of a client that may be there.
        raise Ambiguous(
            f"{failed}. Whether {chosen_id} is there could not be read: {error}"
        ) from None


def _still_absent(lost: Ambiguous, chosen_id: str, attempts: int) -> RemoteError:
    """The error of a create that was lost each time, and of which the server shows nothing."""
    times = "once" if attempts == 1 else f"{attempts} times"
    message = f"{lost}. It was sent {times}, and read by its id {chosen_id} the client is not there"
    # The server itself gave up on it. A gateway did not see the end of it, and nor did a timeout.
    kind = ServerFailed if lost.status == _SERVER_GAVE_UP else Ambiguous
    return kind(message, status=lost.status, tracking=lost.tracking)


def _is_taken(refused: RemoteError) -> bool:
    return isinstance(refused, Rejected) and refused.status in _TAKEN


def _make_intent(target: OpenTarget, change: Change, request: Request) -> Intent:
    provider = target.provider
    facts = sent_facts(provider, sent_body(provider, request))
    name = facts.get(provider.identity.match or "")
    intent = Intent(
        key=change.key,
        remote_id=create_id(provider, request),
        predecessor=change.remote_id if change.action is Action.REPLACE else None,
        facts=facts,
        digest="",
        at=target.now(),
        seen=target.created.namesakes(target.context, name),
    )
    return sealed_intent(target.key, intent)


def create_id(provider: Provider, request: Request) -> str | None:
    """The id that a create asks for, None where the server gives one."""
    return id_in(provider, sent_body(provider, request))


def _existing_client(
    target: OpenTarget, log: RequestLog, manifest: Manifest, remote_id: str, refused: RemoteError
) -> JsonObject | None:
    """The client that has the chosen id already, if it is as wanted; None where nobody has it."""
    body = _read_chosen(log, remote_id, refused)
    if body is None:
        return None
    fields = target.provider.fields
    # What only an update takes was not in the POST, and is sent after this.
    wanted = {name: value for name, value in manifest.spec.items() if not fields[name].update_only}
    differing = compare(target.provider, wanted, body, key=target.key)
    if not differing:
        return body
    names = ", ".join(change.field for change in differing)
    # Closed, since this POST made nothing: the client is found by its id, which follows from its name.
    _close_create(target, manifest.name)
    raise ChangedMeanwhile(
        f"{target.name}/{manifest.name}: a client with the id {remote_id} was made since this was "
        f"planned, and differs in {names}. Plan again: it is found by that id"
    )


def _close_create(target: OpenTarget, key: str) -> None:
    """Note that the create made nothing. Where that cannot be written, the next plan looks again."""
    try:
        target.session.close_create(key)
    except InventoryError as error:
        target.stop.note_end(error)
