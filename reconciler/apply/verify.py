"""Makes sure that a server shows what it was sent: only then is a change done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.changes import Action
from reconciler.core.dataclass import dataclass
from reconciler.core.errors import RemoteError
from reconciler.plan.applied import server_changed
from reconciler.plan.diff import compare
from reconciler.plan.fields.members import vanished_members
from reconciler.plan.fields.taken import not_taken, untaken_sentence
from reconciler.provider.errors import clean
from reconciler.provider.model import UpdateStyle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.apply.context import OpenTarget
    from reconciler.apply.request_log import RequestLog
    from reconciler.core.changes import Change, FieldChange
    from reconciler.core.model import JsonObject, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a server shows of a client after its change.

    `server_changed` are the fields that it shows otherwise than they were wanted, and `untaken`
    the names of those that are not done for it; `trouble` says so in words, "" where all is done.
    """

    body: JsonObject
    server_changed: tuple[FieldChange, ...]
    untaken: frozenset[str] = frozenset()
    trouble: str = ""


class Verifier:
    """One change whose requests were sent, and the client that they were about."""

    def __init__(self, target: OpenTarget, log: RequestLog, change: Change, remote_id: str) -> None:
        self._target = target
        self._log = log
        self._change = change
        self._remote_id = remote_id

    def verify(self, manifest: Manifest, body: JsonObject) -> Verdict:
        """Hold `body`, the last answer, against the manifest; where they differ, the client is read again."""
        provider, key = self._target.provider, self._target.key
        planned = {field.field: field for field in self._change.fields}

        def differing(shown: JsonObject) -> tuple[FieldChange, ...]:
            return server_changed(provider, manifest, shown, key=key)

        return self._verdict(body, differing, lambda found: not_taken(found, planned))

    def verify_removal(self, body: JsonObject) -> Verdict:
        """The same for a client that no manifest names any more, and that was to be turned off."""
        provider, key = self._target.provider, self._target.key
        wanted = {field.field: field.after for field in self._change.fields}

        def differing(shown: JsonObject) -> tuple[FieldChange, ...]:
            return compare(provider, wanted, shown, key=key)

        return self._verdict(body, differing, lambda found: found)

    def what_vanished(self, body: JsonObject) -> str:
        """What the client showed before its update and shows no longer, in a sentence; "" for nothing."""
        provider, live = self._target.provider, self._change.live
        if provider.style is UpdateStyle.JSON_PATCH or live is None:
            return ""
        if not vanished_members(provider, self._change, live.body, body):
            return ""
        names = vanished_members(provider, self._change, live.body, self._read_again(body))
        return (
            clean(f"since this {provider.update.method} the server shows no {', '.join(names)}")
            if names
            else ""
        )

    def _verdict(
        self,
        body: JsonObject,
        differing: Callable[[JsonObject], tuple[FieldChange, ...]],
        untaken: Callable[[tuple[FieldChange, ...]], tuple[FieldChange, ...]],
    ) -> Verdict:
        found = differing(body)
        if untaken(found):
            # Some servers answer a write with what was before it, or with a part of the client.
            body = self._read_again(body)
            found = differing(body)
        wrong = untaken(found)
        return Verdict(
            body=body,
            server_changed=found,
            untaken=frozenset(field.field for field in wrong),
            trouble=self._words(wrong),
        )

    def _read_again(self, body: JsonObject) -> JsonObject:
        try:
            return self._log.read(self._remote_id)
        except RemoteError:
            # What the answer to the write showed is all that is known then.
            return body

    def _words(self, wrong: Iterable[FieldChange]) -> str:
        sentences = "; ".join(untaken_sentence(field, self._change.fields) for field in wrong)
        if sentences and self._change.action in (Action.CREATE, Action.REPLACE):
            return f"the client was created, and is not as asked: {clean(sentences)}"
        return clean(sentences)
