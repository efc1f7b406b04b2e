"""Writes down what a create is about to send, and says whether a run of this target wrote that.

Unlike the digest of an entry, that of an intent has a key: for an intent a client is taken for ours,
and no plan asks whose it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.secrets import fingerprint, holds_secret, is_same_text, seal_of
from reconciler.plan.context import chosen_id
from reconciler.plan.normalize import canonical
from reconciler.plan.requests import create_requests
from reconciler.provider.model import Chosen

if TYPE_CHECKING:
    from reconciler.core.changes import Request
    from reconciler.core.model import Intent, Json, JsonObject, Manifest
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider


def intent_members(intent: Intent) -> dict[str, Json]:
    """The members of an intent as its file has them, without its key."""
    members: dict[str, Json] = {
        "facts": dict(intent.facts),
        "digest": intent.digest,
        "at": intent.at,
    }
    optional: dict[str, Json] = {
        "id": intent.remote_id,
        "predecessor": intent.predecessor,
        "seen": None if intent.seen is None else list(intent.seen),
    }
    return members | {name: value for name, value in optional.items() if value is not None}


def sealed_intent(key: bytes, intent: Intent) -> Intent:
    """The intent with the digest by which a later run knows that one with this key wrote it."""
    return replace(intent, digest=_seal(key, intent))


def is_ours(context: TargetContext, intent: Intent, manifest: Manifest) -> bool:
    """Whether an intent is as a run of this target, with this key for fingerprints, wrote it."""
    return (
        is_same_text(intent.digest, _seal(context.key, intent))
        or _follows_from_key(context, intent)
        or _is_of_an_earlier_version(context, intent, manifest)
    )


def sent_body(provider: Provider, request: Request) -> JsonObject:
    """The client in the body of a create, out of its envelope."""
    body = request.body
    if provider.create.envelope is not None and isinstance(body, dict):
        body = body.get(provider.create.envelope)
    return body if isinstance(body, dict) else {}


def sent_facts(provider: Provider, body: JsonObject) -> JsonObject:
    """What of the body of a create its client can be recognised by later."""
    return {
        name: canonical(provider.fields[name], body[name])
        for name in provider.identity.recognize
        # The intent is kept in the inventory, where no secret may be.
        if name in body and not holds_secret(body[name])
    }


def _seal(key: bytes, intent: Intent) -> str:
    members = intent_members(intent)
    del members["digest"]
    return seal_of(key, {**members, "key": intent.key})


def _follows_from_key(context: TargetContext, intent: Intent) -> bool:
    """Whether the id of an intent is one that the tool makes of its key: whoever wrote it chose none."""
    predecessors = ("", intent.predecessor or "")
    made = context.provider.identity.chosen is Chosen.UUID
    return made and intent.remote_id in {
        chosen_id(context, intent.key, one) for one in predecessors
    }


def _is_of_an_earlier_version(context: TargetContext, intent: Intent, manifest: Manifest) -> bool:
    """Whether an intent has the digest of what was sent, which was all that it was of at first."""
    provider = context.provider
    request, *_ = create_requests(provider, manifest.spec, chosen_id=intent.remote_id)
    body = sent_body(provider, request)
    same = is_same_text(intent.digest, fingerprint(context.key, body))
    return same and sent_facts(provider, body) == intent.facts
