"""Which clients are not touched: those that the server needs, and the one that the tool logs in as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.changes import Refusal
from reconciler.core.pointer import resolve
from reconciler.core.secrets import reveal
from reconciler.plan.guards.rules import Rule
from reconciler.provider.identity import id_in

if TYPE_CHECKING:
    from reconciler.core.model import JsonObject, Manifest
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider


def client_name(provider: Provider, values: JsonObject) -> str:
    """The name that people know a client by, from its spec or its body; "" where it has none."""
    # In a spec it may come from a reference, and is compared all the same.
    name = reveal(values.get(provider.identity.match or "name"))
    return name if isinstance(name, str) else ""


def is_own(context: TargetContext, remote_id: str | None) -> bool:
    """Whether the tool logs in as that client.

    A server may spell an id in another case than the login does: a UUID is the same in both.
    """
    return context.own_id is not None and (remote_id or "").lower() == context.own_id.lower()


def protected_refusal(
    provider: Provider, body: JsonObject, manifest: Manifest | None = None
) -> Refusal | None:
    """The veto on every change of a client that the server itself needs, as its descriptor says.

    One that the vendor marks as internal may be changed by the `manifest` that states the mark.
    """
    name = client_name(provider, body)
    remote_id = id_in(provider, body) or ""
    # The name may be changed on the server, and the id by how it was set up.
    if provider.protected & {name, remote_id}:
        message = f"the client named {name!r} belongs to the server itself"
        return Refusal(rule=Rule.PROTECTED, message=f"{message} and is never touched")
    pointer = provider.identity.internal
    if pointer is None or resolve(body, pointer) is not True:
        return None
    mark = pointer.removeprefix("/")
    if manifest is not None and manifest.spec.get(mark) is True:
        return None
    return Refusal(
        rule=Rule.PROTECTED,
        message=f"the client named {name!r} has {mark}: true, so that {provider.title} itself may "
        f"work with it: if it is yours all the same, state {mark}: true in its manifest",
    )


def own_client_refusal(context: TargetContext, remote_id: str | None, why: str) -> Refusal | None:
    """The veto on what takes something from the client that the tool logs in as; `why` ends its message."""
    if not is_own(context, remote_id):
        return None
    subject = "this is the client that the reconciler itself logs in with"
    return Refusal(rule=Rule.OWN_CLIENT, message=f"{subject}{why}")
