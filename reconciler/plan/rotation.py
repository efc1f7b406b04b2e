"""Says how a client gets a new secret, and finds it in what the server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.model import Json, Refusal, Request, Secret
from reconciler.plan.requests import update_requests
from reconciler.provider.secrets import secret_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.model import LiveClient, Manifest
    from reconciler.plan.inputs import Situation
    from reconciler.provider.model import ChosenSecret, Endpoint, Provider

# An answer that is nested deeper does not hide a secret for us.
_DEEPEST: Final = 5


def refusal(
    situation: Situation, key: str, live: LiveClient, manifest: Manifest | None
) -> Refusal | None:
    """Why the secret of a client of ours, `live`, is not changed; None where it may be."""
    provider = situation.provider
    if provider.rotate is None:
        return Refusal(
            rule="no-rotate",
            message=f"{provider.title} has no call that gives a client another secret, only a new "
            "client has one: say lifecycle.allowReplace: true in its manifest, delete the client on "
            "the server, and apply",
        )
    # A server may spell an id in another case than the login does: a UUID is the same in both.
    if situation.own_id is not None and situation.own_id.lower() == live.remote_id.lower():
        return Refusal(
            rule="own-client",
            message="this is the client that the reconciler itself logs in with, and the secret it "
            "logs in with would cease to work: rotate it by hand, or run as another client",
        )
    if live.body.get(provider.identity.match or "name") in provider.protected:
        return Refusal(
            rule="protected", message="the client belongs to the server itself and is never touched"
        )
    if key in situation.inventory.pending:
        return Refusal(
            rule="pending-create",
            message="a run began to create its successor and could not record what came of it: "
            "apply first",
        )
    stated = [name for name in (manifest.spec if manifest else ()) if provider.fields[name].secret]
    if stated:
        return Refusal(
            rule="stated-secret",
            message=f"its manifest states spec.{stated[0]}, and the next apply would set that again: "
            "change the value where the reference points, and apply",
        )
    return None


def set_request(provider: Provider, how: ChosenSecret, live: LiveClient, secret: Secret) -> Request:
    """The update that gives a client the secret which the tool has made."""
    (request,) = update_requests(provider, {how.field: secret}, live.body, [how.field])
    return request


def call_request(provider: Provider, how: Endpoint) -> Request:
    """The call that has the server make a new secret. It has no body."""
    return Request(
        operation="update",
        method=how.method,
        path=provider.collection + how.path,
        content_type=None,
        body=None,
    )


def told(provider: Provider, answer: Json) -> Secret | None:
    """The new secret in an answer of unknown shape: the first member named like a secret field."""
    names = secret_names(provider)
    return next((Secret(found) for found in _values(answer, names, 0)), None)


def _values(value: Json, names: tuple[str, ...], depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for member in value:
            yield from _values(member, names, depth + 1)
    if isinstance(value, dict):
        held = (value.get(name) for name in names)
        yield from (found for found in held if isinstance(found, str) and found)
        for member in value.values():
            yield from _values(member, names, depth + 1)
