"""What refuses a new secret of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Refusal
from reconciler.plan.fields.bodies import hidden_secrets
from reconciler.plan.guards.changes import hidden_secret_refusal
from reconciler.plan.guards.clients import own_client_refusal, protected_refusal
from reconciler.plan.guards.rules import Rule
from reconciler.provider.model import ChosenSecret, IssuedSecret
from reconciler.provider.secrets import stated_secret

if TYPE_CHECKING:
    from reconciler.core.model import InventoryEntry, JsonObject, LiveClient, Manifest, SecretPlace
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider

# A name, since as a literal it looks like a password to those who search for such.
_STORED: Final[SecretPlace] = "stored"


def rotation_refusal(
    context: TargetContext, key: str, live: LiveClient, manifest: Manifest | None
) -> Refusal | None:
    """Why the secret of a client of ours, `live`, is not changed; None where it may be."""
    provider = context.provider
    if provider.rotate is None and (found := _succession_refusal(provider, manifest)):
        return found
    why = ", and the secret it logs in with would cease to work: rotate it by hand, or run as "
    needed = own_client_refusal(context, live.remote_id, f"{why}another client")
    if needed := needed or protected_refusal(provider, live.body, manifest):
        return needed
    if pending := pending_successor_refusal(context, key):
        return pending
    stated = None if manifest is None else stated_secret(provider, manifest.spec)
    if stated is None:
        return _unrotatable(provider, live)
    return Refusal(
        rule=Rule.STATED_SECRET,
        message=f"its manifest states spec.{stated}, and the next apply would set that again: "
        "change the value where the reference points, and apply",
    )


def finish_refusal(context: TargetContext, key: str, entry: InventoryEntry) -> Refusal | None:
    """Why the secret from before the last rotation of a client is not taken away; None where it may be."""
    how = context.provider.rotate
    if not isinstance(how, IssuedSecret) or how.finish is None:
        message = f"{context.provider.title} keeps no old secret beside a new one: there is nothing to finish"
        return Refusal(rule=Rule.NO_OLD_SECRET, message=message)
    needed = own_client_refusal(
        context,
        entry.remote_id,
        ", and it may log in with its old secret still: finish that by hand",
    )
    if needed is not None or entry.secret in ("", _STORED):
        return needed
    return Refusal(
        rule=Rule.UNSTORED_SECRET,
        message=f"the new secret of {key} is not in its sink, and the old one may be the only one that "
        "its users have: mend the sink and run `reconciler secrets sync` first",
    )


def _succession_refusal(provider: Provider, manifest: Manifest | None) -> Refusal | None:
    """Why no new client stands in for one whose secret its vendor cannot change; None where one may.

    It is asked for on purpose, so that lifecycle.allowReplace is not.
    """
    only = f"{provider.title} has no call that gives a client another secret, only a new client has one"
    if provider.delete is None:
        message = f"{only}, and the old one could not be deleted"
        return Refusal(rule=Rule.NO_ROTATE, message=message)
    if manifest is None:
        message = f"{only}, which is made as its manifest says, and no manifest names it"
        return Refusal(rule=Rule.NO_ROTATE, message=message)
    if manifest.lifecycle.prevent_destroy:
        message = f"{only}, and lifecycle.preventDestroy forbids that this one is replaced"
        return Refusal(rule=Rule.PREVENT_DESTROY, message=message)
    if manifest.id is None:
        return None
    message = f"{only}, and metadata.id binds its manifest to this one: take metadata.id out first"
    return Refusal(rule=Rule.REPLACE_BOUND_ID, message=message)


def pending_successor_refusal(context: TargetContext, key: str) -> Refusal | None:
    """The veto on giving the sink a client's secret while a successor of it may already be there.

    The sink may have the successor's secret by then.
    """
    if key not in context.inventory.pending:
        return None
    return Refusal(
        rule=Rule.PENDING_CREATE,
        message="a run began to create its successor and could not record what came of it: "
        "apply first",
    )


def _unrotatable(provider: Provider, live: LiveClient) -> Refusal | None:
    """The veto on setting a secret by an update that would lose another one."""
    how = provider.rotate
    if not isinstance(how, ChosenSecret):
        return None
    stated: JsonObject = {how.field: None}
    return hidden_secret_refusal(hidden_secrets(provider, stated, live.body, [how.field]))
