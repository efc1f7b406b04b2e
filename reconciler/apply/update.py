"""Writes a client only if it is as it was planned on, and finds out what a failed write left behind."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import (
    Ambiguous,
    BadAnswer,
    ChangedMeanwhile,
    NotFound,
    Rejected,
    RemoteError,
    ServerFailed,
)
from reconciler.core.model import MISSING, Redacted
from reconciler.core.values import brief_text
from reconciler.plan.applied import ignored_fields
from reconciler.plan.diff import compare
from reconciler.plan.fields.patch import without_tests
from reconciler.plan.preconditions import moved_fields, showable_values
from reconciler.plan.requests import update_requests
from reconciler.provider.errors import clean
from reconciler.provider.model import UpdateStyle

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.apply.context import OpenTarget
    from reconciler.apply.request_log import RequestLog
    from reconciler.core.changes import Change, FieldChange, Request
    from reconciler.core.model import JsonObject

_TOO_MANY_REQUESTS: Final = 429
_NOT_IMPLEMENTED: Final = 501
# What a server that knows the `test` operation answers where one has failed (RFC 5789 section 2.2),
# and the words of those that say it beside a plain 400.
_TEST_FAILED: Final = frozenset({409, 412})
_FAILED_WORDS: Final = re.compile(
    r"\btest(s|ed)?( operation)?s? (has |have )?failed|not equal|n[o']t match|mismatch",
    re.IGNORECASE,
)


def update(target: OpenTarget, log: RequestLog, change: Change) -> tuple[JsonObject, str]:
    """Send the updates of a client. What the server shows of it then, and a note, "" for none.

    Raises ChangedMeanwhile, with nothing written, where it is not the client that was planned on,
    and the RemoteErrors, their messages saying what is live now where a part may have been done.
    """
    body: JsonObject = {} if change.live is None else change.live.body
    note = ""
    for request in _requests_to_send(target, log, change):
        try:
            body, note = _write(target, log, change, request)
        except (Ambiguous, BadAnswer, Rejected, ServerFailed) as error:
            if not _may_be_done(target, error):
                raise
            return _find_out(target, log, change, error)
    return body, note


def refuse_if_moved(target: OpenTarget, log: RequestLog, change: Change) -> None:
    """Raise ChangedMeanwhile where a client that is to be deleted has moved since that was planned.

    It is read again only where the plan's look at it is too old; NotFound says that it is gone.
    """
    if change.live is not None and target.conflict_check != "none" and target.is_old():
        now = log.read(change.remote_id or "")
        _refuse(target, change, now, moved_fields(target.provider, change, change.live.body, now))


def refuse_replace_if_moved(target: OpenTarget, log: RequestLog, change: Change) -> None:
    """Raise ChangedMeanwhile where a client that is to be replaced has moved, or is gone.

    Its successor was planned with the live values of fields that the manifest does not declare.
    """
    try:
        refuse_if_moved(target, log, change)
    except NotFound:
        raise _gone(change) from None


def _requests_to_send(target: OpenTarget, log: RequestLog, change: Change) -> tuple[Request, ...]:
    """The requests of an update, made anew on what is live where the plan's look at it is too old."""
    live = change.live
    if live is None or not change.requests:
        return change.requests
    if target.conflict_check != "reread" or not target.is_old():
        return _as_the_server_takes(target, change.requests)
    now = _read_or_refuse(log, change)
    _refuse(target, change, now, moved_fields(target.provider, change, live.body, now))
    return _make_anew(target, change, now)


def _as_the_server_takes(target: OpenTarget, requests: tuple[Request, ...]) -> tuple[Request, ...]:
    """The planned requests, without their tests where the run has found out that the server takes none."""
    return tuple(map(_without_tests, requests)) if target.refuses_tests.is_set() else requests


def _write(
    target: OpenTarget, log: RequestLog, change: Change, request: Request
) -> tuple[JsonObject, str]:
    """Send one update. What the server shows of the client then, and a note, "" for none.

    A patch whose tests fail over spelling or order alone is made anew and sent again, and one that
    is refused though its tests hold is sent without them.
    """
    remote_id = change.remote_id or ""
    try:
        return log.write(request, remote_id), ""
    except NotFound:
        # A gateway's 404 says nothing of the client: the read does.
        _read_or_refuse(log, change)
        raise
    except (Ambiguous, Rejected) as refused:
        if not _may_be_about_tests(change, request, refused):
            raise
        first = refused
    again = _renew_tests(target, log, change)
    try:
        # The same tests would be refused the same way.
        if again != request:
            return log.write(again, remote_id), ""
    except (Ambiguous, Rejected) as refused:
        if not _may_be_about_tests(change, again, refused):
            raise
        first = refused
    if first.status in _TEST_FAILED or _FAILED_WORDS.search(str(first)):
        raise first from None
    return _write_untested(target, log, again, remote_id, first)


def _may_be_about_tests(change: Change, request: Request, refused: RemoteError) -> bool:
    """Whether the tests of a patch may be why it was refused, and certainly nothing of it was done."""
    # A server that does not know an operation may say 501 (RFC 9110 section 15.6.2).
    certain = isinstance(refused, Rejected) or refused.status == _NOT_IMPLEMENTED
    return certain and change.live is not None and _without_tests(request) != request


def _renew_tests(target: OpenTarget, log: RequestLog, change: Change) -> Request:
    """The patch with tests of what is live now. Raises ChangedMeanwhile where that has moved."""
    now = _read_or_refuse(log, change)
    before = now if change.live is None else change.live.body
    # Only these fields are in the patch: an edit of another one is not overwritten by it.
    planned = {field.field for field in change.fields}
    since = moved_fields(target.provider, change, before, now)
    _refuse(target, change, now, [name for name in since if name in planned])
    (again,) = _make_anew(target, change, now)
    return again


def _write_untested(
    target: OpenTarget, log: RequestLog, request: Request, remote_id: str, refused: RemoteError
) -> tuple[JsonObject, str]:
    """Send a patch without its tests, all of which hold: the client was read just now.

    Where the server takes that, the rest of the run does without tests too. Otherwise the refusal
    was about something else (0011).
    """
    body = log.write(_without_tests(request), remote_id)
    target.refuses_tests.set()
    note = (
        f"the server refused the patch with its test operations ({refused.status}), though what they "
        "test had not moved, and took it without them: from here on this run holds a write to what "
        "was planned as `guard: reread` does. State that in the target, and it is not tried again"
    )
    return body, note


def _without_tests(request: Request) -> Request:
    """`request` without its test operations; the very same where it has none."""
    operations = request.body if isinstance(request.body, list) else []
    kept = without_tests(operations)
    return request if len(kept) == len(operations) else replace(request, body=kept)


def _read_or_refuse(log: RequestLog, change: Change) -> JsonObject:
    try:
        return log.read(change.remote_id or "")
    except NotFound:
        raise _gone(change) from None


def _gone(change: Change) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        f"{change.target}/{change.key}: changed meanwhile: {change.remote_id} is gone from the "
        "server. Nothing was written; plan again"
    )


def _make_anew(target: OpenTarget, change: Change, now: JsonObject) -> tuple[Request, ...]:
    if change.manifest is None:
        # It only turns the client off, and nothing that it rests on has moved.
        return _as_the_server_takes(target, change.requests)
    return update_requests(
        target.provider,
        change.manifest.spec,
        now,
        [field.field for field in change.fields],
        ignore=ignored_fields(change.manifest),
        tested=target.conflict_check == "test",
        hidden=[field.field for field in change.fields if isinstance(field.before, Redacted)],
    )


def _refuse(target: OpenTarget, change: Change, now: JsonObject, names: Collection[str]) -> None:
    if not names or change.live is None:
        return
    entry = target.session.entry(change.key)
    secret: JsonObject = {} if entry is None else entry.fingerprints
    before = showable_values(target.provider, change, secret, change.live.body)
    after = showable_values(target.provider, change, secret, now)
    sentences = "; ".join(_what_moved(name, before, after) for name in names)
    raise ChangedMeanwhile(
        f"{change.target}/{change.key}: changed meanwhile: {sentences}. Nothing was written; plan again"
    )


def _what_moved(name: str, before: JsonObject, after: JsonObject) -> str:
    if name not in before and name not in after:
        return f"{name} was changed"
    old, new = (clean(brief_text(side.get(name, MISSING))) for side in (before, after))
    return f"{name} was {old}, and is {new} now"


def _may_be_done(target: OpenTarget, error: RemoteError) -> bool:
    """Whether a part of the update may have been carried out, whatever the answer said."""
    if isinstance(error, Rejected):
        # RFC 5789 section 2: a patch is applied whole or not at all.
        return target.provider.style is not UpdateStyle.JSON_PATCH
    # A rate limit turned it away before it was looked at (RFC 6585 section 4).
    return error.status != _TOO_MANY_REQUESTS


def _find_out(
    target: OpenTarget, log: RequestLog, change: Change, error: RemoteError
) -> tuple[JsonObject, str]:
    """The client, with a note, if a failed update made it as wanted all the same.

    Raises the error otherwise, with a sentence on what is live now.
    """
    try:
        now = log.read(change.remote_id or "")
    except RemoteError as unread:
        raise _with_sentence(error, f"What is live now could not be read: {unread}") from None
    planned = [field.field for field in change.fields]
    undone = {field.field for field in _still_wanted(target, change, now)}
    done = [name for name in planned if name not in undone]
    # Of a field that no answer shows, a read cannot prove that it was written.
    unseen = [name for name in planned if target.provider.fields[name].write_only]
    if not undone and not unseen:
        return now, f"{error}. Read again, the client is as wanted"
    if not done:
        raise _with_sentence(error, "Read again, nothing of it was changed") from None
    raise _with_sentence(
        error,
        f"Read again, {', '.join(done)} changed all the same, and {', '.join(sorted(undone))} did not",
    ) from None


def _still_wanted(target: OpenTarget, change: Change, now: JsonObject) -> tuple[FieldChange, ...]:
    """The planned fields that are not as wanted; one that no answer shows counts as one of them."""
    manifest = change.manifest
    wanted = {field.field: field.after for field in change.fields}
    if manifest is not None:
        wanted = {name: manifest.spec[name] for name in wanted}
    return compare(target.provider, wanted, now, key=target.key)


def _with_sentence(error: RemoteError, sentence: str) -> RemoteError:
    message = str(error).rstrip(".")
    return type(error)(f"{message}. {sentence}", status=error.status, tracking=error.tracking)
