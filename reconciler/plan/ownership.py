"""Says whose each client on a server is, which may become ours, and what a lost create may have made.

Plan, import, adopt, resolve and prune all ask here, so that no two of them can disagree about one
client: two answers to one question is how clients get doubled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from reconciler.core.changes import Refusal
from reconciler.core.model import MISSING, Intent, Json, LiveClient
from reconciler.core.pointer import resolve
from reconciler.core.times import instant, later
from reconciler.core.values import same
from reconciler.plan.context import bound_id, list_doubt, live_client
from reconciler.plan.guards.clients import client_name, own_client_refusal, protected_refusal
from reconciler.plan.guards.rules import Rule
from reconciler.plan.moves.neighbours import (
    claims_elsewhere,
    elsewhere_refusal,
    pending_elsewhere,
)
from reconciler.plan.normalize import canonical
from reconciler.plan.record.intents import is_ours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reconciler.core.model import Manifest
    from reconciler.plan.context import TargetContext

# How far the server's clock may be behind ours, in minutes.
_SKEW: Final = 5
_MOST_IDS: Final = 10
_NOT_OURS: Final = (
    "What the record says of that create was not written by a run with this fingerprint key: another "
    "login or fingerprintKey wrote it, or somebody edited it. "
)

# Why a client is left alone, by remote id.
LeftAlone: TypeAlias = "Mapping[str, Refusal]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Who has a claim on which client, the keys by remote id.

    `bound` and `superseded` are what the inventory says. `meant` are the ids that manifests state,
    and those that a create chose or would choose. `elsewhere` is what other targets of the same
    server claim, as `target/key`.
    """

    bound: Mapping[str, str]
    superseded: Mapping[str, str]
    meant: Mapping[str, str]
    elsewhere: Mapping[str, str]


def claims(context: TargetContext, manifests: Iterable[Manifest]) -> Claims:
    """The claims of the inventory, and of `manifests`."""
    entries = context.inventory.entries
    meant = {bound_id(context, manifest): manifest.name for manifest in manifests}
    return Claims(
        bound={entry.remote_id: key for key, entry in entries.items()},
        superseded={old_id: key for key, entry in entries.items() for old_id in entry.superseded},
        meant={remote_id: key for remote_id, key in meant.items() if remote_id is not None},
        elsewhere=claims_elsewhere(context),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unowned:
    """The clients on the server that nobody has a claim on, sorted by id, and the same by name.

    `meant` are those besides that a manifest means, and that are not ours yet. `known` are the
    claims that say so.
    """

    known: Claims
    clients: tuple[LiveClient, ...] = ()
    meant: tuple[LiveClient, ...] = ()
    by_name: Mapping[str, tuple[LiveClient, ...]] = field(default_factory=dict)


def unowned_clients(context: TargetContext, manifests: Iterable[Manifest]) -> Unowned:
    """The clients that neither the inventory nor a manifest speaks of."""
    # With --select, also those that a manifest means which was not picked: it is not free to adopt.
    known = claims(context, [*manifests, *context.others.values()])
    ours = known.bound.keys() | known.superseded.keys() | known.elsewhere.keys()
    live = context.live.clients
    # Sorted, since no server promises an order, and messages list these clients.
    foreign = [live[remote_id] for remote_id in sorted(live.keys() - ours)]
    clients = tuple(client for client in foreign if client.remote_id not in known.meant)
    by_name: dict[str, list[LiveClient]] = {}
    for client in clients:
        if name := client_name(context.provider, client.body):
            by_name.setdefault(name, []).append(client)
    return Unowned(
        known=known,
        clients=clients,
        meant=tuple(client for client in foreign if client.remote_id in known.meant),
        by_name={name: tuple(alike) for name, alike in by_name.items()},
    )


def adopts(context: TargetContext) -> bool:
    """Whether a manifest may take over an unowned client of its name, and one can be found."""
    by_name = context.provider.identity.match is not None and context.live.listed
    return by_name and context.target.policy.adopt == "unowned"


def find_namesake(
    context: TargetContext, manifest: Manifest, unowned: Unowned
) -> LiveClient | Refusal | None:
    """The one unowned client that has the manifest's name, or why it may not be adopted."""
    name = client_name(context.provider, manifest.spec) if adopts(context) else ""
    found = unowned.by_name.get(name, ())
    if not found:
        return _hidden_refusal(context) if name else None
    if len(found) > 1:
        return Refusal(
            rule=Rule.AMBIGUOUS_ADOPTION,
            message=f"{len(found)} clients on the server are named like it and are not ours "
            f"({list_ids(found)}): set metadata.id to the one that is meant",
        )
    (client,) = found
    # Its own pending create was settled before names are looked at; another's may have made it.
    others = [key for key in context.inventory.pending if key != manifest.name]
    return _pending_refusal(context, client, others) or client


def _hidden_refusal(context: TargetContext) -> Refusal | None:
    """Why a client may not be made for want of one of its name; None where the list is to be believed."""
    # Only what was seen to be wrong: with a descriptor that says nothing, no client could be made.
    if not context.live.doubt:
        return None
    return Refusal(
        rule=Rule.DOUBTFUL_LIST,
        message=f"the list of {context.provider.title} is not whole: {context.live.doubt}. A client "
        "of its name may be there, which policy.adopt: unowned would take over: run again later, "
        "set metadata.id to that client, or say policy.adopt: never to have another one made",
    )


def claim_refusal(
    context: TargetContext, known: Claims, client: LiveClient, *, key: str = ""
) -> Refusal | None:
    """Why a client belongs to another key; None where nobody but `key`, which `known` lacks, claims it."""
    remote_id = client.remote_id
    if elsewhere := elsewhere_refusal(context, known.elsewhere, remote_id, key):
        return elsewhere
    if remote_id in known.bound:
        return Refusal(rule=Rule.BOUND, message=_already(context, known.bound[remote_id]))
    if remote_id in known.superseded:
        message = f"it is the predecessor of {known.superseded[remote_id]}, to be deleted"
        return Refusal(rule=Rule.SUPERSEDED, message=message)
    if remote_id in known.meant:
        message = f"the manifest {known.meant[remote_id]} means it: the next apply binds it"
        return Refusal(rule=Rule.MEANT, message=message)
    others = [other for other in context.inventory.pending if other != key]
    return _pending_refusal(context, client, others)


def holders(context: TargetContext) -> Mapping[str, str]:
    """Whose each client is that no create of a run can have made, by remote id in small letters.

    Those that were on the server before it, and those that the record, or another target, has.
    """
    known = claims(context, ())
    return {
        remote_id.lower(): whose
        for ids in (
            dict.fromkeys(context.live.clients, "a client that was there before"),
            {remote_id: f"the client of {place}" for remote_id, place in known.elsewhere.items()},
            {remote_id: f"a predecessor of {key}" for remote_id, key in known.superseded.items()},
            {remote_id: f"the client of {key}" for remote_id, key in known.bound.items()},
        )
        for remote_id, whose in ids.items()
    }


def ids_by_name(context: TargetContext) -> Mapping[str, tuple[str, ...]]:
    """The ids of the clients that are there, sorted, by their names."""
    found: dict[str, list[str]] = {}
    for remote_id in sorted(context.live.clients):
        name = client_name(context.provider, context.live.clients[remote_id].body)
        found.setdefault(name, []).append(remote_id)
    return {name: tuple(ids) for name, ids in found.items()}


def stated_id_refusal(
    context: TargetContext, client: LiveClient, manifest: Manifest, known: Claims
) -> Refusal | None:
    """Why `metadata.id` may not bind a client; None where it may. No other manifest means the client.

    One that is bound to a key without a manifest was renamed: the plan forgets the old key. One
    whose key has a manifest that is not planned is that one's, which a whole plan sees as well.
    """
    remote_id = client.remote_id
    holder, successor = known.bound.get(remote_id), known.superseded.get(remote_id)
    counting = Claims(
        bound={remote_id: holder} if holder in context.others and holder is not None else {},
        # Its own predecessor it may name: that is how a user goes back from a replace.
        superseded={remote_id: successor} if successor not in (None, manifest.name) else {},
        meant={},
        elsewhere=known.elsewhere,
    )
    return claim_refusal(context, counting, client, key=manifest.name)


def _already(context: TargetContext, key: str) -> str:
    if key in context.others:
        return f"it is {key} already"
    return f"it is {key} already, which no manifest names: `reconciler forget {key}` frees it"


def _pending_refusal(
    context: TargetContext, client: LiveClient, keys: Iterable[str]
) -> Refusal | None:
    """Why nobody may have a client that the pending create of one of `keys` may have made."""
    for key in keys:
        if may_have_created(context, context.inventory.pending[key], client) != "no":
            message = (
                f"a run that could not record it may have created it as {key}: look whether it "
                f"did, then run {resolve_command(key)}"
            )
            return Refusal(rule=Rule.PENDING_CREATE, message=message)
    for place, intent in pending_elsewhere(context):
        if may_have_created(context, intent, client) != "no":
            message = (
                f"a run that could not record it may have created it as {place}: apply that target "
                "first, or resolve it there"
            )
            return Refusal(rule=Rule.PENDING_CREATE, message=message)
    return None


def importable(
    context: TargetContext, clients: Iterable[LiveClient], *, by_id: bool
) -> tuple[list[LiveClient], LeftAlone]:
    """The clients that an import may write manifests for, sorted by id, and why not the others.

    With `by_id` the user has named each of `clients`: then only those that another key claims are
    left alone.
    """
    known, left_alone = claims(context, context.others.values()), dict[str, Refusal]()
    unbound = _names_without_client(context)
    free: list[LiveClient] = []
    # Sorted, since the keys that an import makes of names must not hang on the server's order.
    for client in sorted(clients, key=lambda client: client.remote_id):
        why = claim_refusal(context, known, client)
        if why is None and not by_id:
            why = _unasked_refusal(context, client, unbound)
        if why is None:
            free.append(client)
        else:
            left_alone[client.remote_id] = why
    return free, left_alone


def _names_without_client(context: TargetContext) -> dict[str, str]:
    """The keys of manifests that are bound to no client yet, by the names that they want."""
    named = {
        client_name(context.provider, manifest.spec): manifest.name
        for manifest in context.others.values()
        if manifest.name not in context.inventory.entries and manifest.id is None
    }
    return {name: key for name, key in named.items() if name}


def _unasked_refusal(
    context: TargetContext, client: LiveClient, unbound: Mapping[str, str]
) -> Refusal | None:
    """Why a client is not imported unless the user names it by its id; `unbound` are keys by name."""
    needed = own_client_refusal(context, client.remote_id, "")
    if needed := needed or protected_refusal(context.provider, client.body):
        return needed
    key = unbound.get(client_name(context.provider, client.body))
    if key is None:
        return None
    message = (
        f"the manifest {key}, which is bound to no client yet, has its name: "
        f"`reconciler adopt {key} --id {client.remote_id}` if that is the one"
    )
    return Refusal(rule=Rule.NAMESAKE, message=message)


def adoption_refusal(
    context: TargetContext, client: LiveClient, manifest: Manifest
) -> Refusal | None:
    """Why `manifest` may not be bound to `client`; None where it may."""
    key, entry = manifest.name, context.inventory.entries.get(manifest.name)
    if entry is not None:
        if entry.remote_id == client.remote_id:
            return None
        message = f"{key} is the client {entry.remote_id} already: `reconciler forget {key}` first"
        return Refusal(rule=Rule.KEY_BOUND, message=f"{message}, if that is to end")
    # `resolve` also closes the intent and keeps the secret; a binding alone would do neither.
    if key in context.inventory.pending:
        return Refusal(
            rule=Rule.PENDING_CREATE,
            message=f"a run began to create {key} and could not record what came of it: "
            f"run `reconciler resolve {key}` instead",
        )
    if manifest.id is not None and bound_id(context, manifest) != client.remote_id:
        message = f"metadata.id of {key} names {manifest.id}: correct it, or take it out"
        return Refusal(rule=Rule.BOUND_ELSEWHERE, message=message)
    claimed = claim_refusal(context, _claims_of_others(context, key), client, key=key)
    return claimed or protected_refusal(context.provider, client.body, manifest)


def resolution_refusal(
    context: TargetContext, client: LiveClient, intent: Intent
) -> Refusal | None:
    """Why `client` cannot be what the pending create of `intent` made; None where it can.

    The user has looked, so the client need not look like what was sent: a server may have changed
    that. Only another id than the one that was chosen, or a claim of another key, speaks against it.
    """
    if intent.remote_id not in (None, client.remote_id):
        return Refusal(
            rule=Rule.ANOTHER_ID,
            message=f"the create of {intent.key} chose the id {intent.remote_id}, so "
            f"{client.remote_id} cannot be what it made",
        )
    known = _claims_of_others(context, intent.key)
    return claim_refusal(context, known, client, key=intent.key)


def _claims_of_others(context: TargetContext, key: str) -> Claims:
    return claims(context, [other for name, other in context.others.items() if name != key])


def find_created(
    context: TargetContext, intent: Intent, manifest: Manifest, unowned: Unowned
) -> LiveClient | Refusal | None:
    """What a pending create made, a refusal where nobody can know, None where it made nothing."""
    began = f"a run began to create it at {intent.at} and could not record what came of it"
    doubt = "" if is_ours(context, intent, manifest) else _NOT_OURS
    # A chosen id settles it. All that follows compares what was sent, and can be mistaken.
    if intent.remote_id is not None:
        there = live_client(context.live, intent.remote_id)
        return there if there is None or not doubt else _ambiguous(intent, began, [there], doubt)
    if not context.live.listed:
        return Refusal(
            rule=Rule.UNKNOWN_CREATE,
            message=f"{began}, and {context.provider.title} has no list to look in. Look there for "
            f"a client with {_describe(intent)}, then run {resolve_command(intent.key)}",
        )
    # One that another manifest means counts too: whoever leaves it out makes a second client of it.
    candidates = (*unowned.clients, *unowned.meant)
    answers = [(client, may_have_created(context, intent, client)) for client in candidates]
    likely = [each for each in answers if each[1] in ("yes", "maybe")]
    found = likely or [each for each in answers if each[1] == "unlikely"]
    if not found and (gap := list_doubt(context)):
        return Refusal(
            rule=Rule.UNKNOWN_CREATE,
            message=f"{began}, and the list of {context.provider.title} may not be whole: "
            f"{gap}. Look there for a client with {_describe(intent)}, then run "
            f"{resolve_command(intent.key)}",
        )
    if not found:
        return None
    # One "yes" beside a "maybe" is not enough: a client that is bound by mistake is overwritten.
    if (
        len(found) == 1
        and found[0][1] == "yes"
        and not doubt
        and _is_nobody_elses(context, intent, found[0][0], unowned)
    ):
        return found[0][0]
    return _ambiguous(intent, began, [client for client, _ in found], doubt)


def _ambiguous(intent: Intent, began: str, found: Collection[LiveClient], doubt: str) -> Refusal:
    return Refusal(
        rule=Rule.AMBIGUOUS_CREATE,
        message=f"{began}; not ours, and like it: {list_ids(found)}. {doubt}"
        f"Look which one it made, then run {resolve_command(intent.key)}",
    )


def _is_nobody_elses(
    context: TargetContext, intent: Intent, client: LiveClient, unowned: Unowned
) -> bool:
    """Whether neither another manifest means a client nor another pending create may have made it."""
    others = [key for key in context.inventory.pending if key != intent.key]
    return client not in unowned.meant and _pending_refusal(context, client, others) is None


def may_have_created(
    context: TargetContext, intent: Intent, client: LiveClient
) -> Literal["yes", "maybe", "unlikely", "no"]:
    """Whether the create of `intent` made `client`: by the id that it chose, else by what it sent.

    "yes" needs the name that people know a client by, and a client that is surely not older than
    the attempt. Where nothing was sent that a client can be recognised by, it may be any of them.
    "unlikely" is one that looks too old and was not there before: it counts where no other is found,
    since the server's clock may be further behind than is allowed for.
    """
    if intent.remote_id is not None:
        return "yes" if intent.remote_id == client.remote_id else "no"
    fields = context.provider.fields
    for name in context.provider.identity.recognize:
        # What was not sent, or was a secret, is no fact: of it the server may show anything.
        if name not in intent.facts or name not in fields:
            continue
        live = client.body.get(name, MISSING)
        if not same(canonical(fields[name], live), canonical(fields[name], intent.facts[name])):
            return "no"
    if intent.seen is not None and client.remote_id in intent.seen:
        return "no"
    younger = _is_younger(context, client, intent)
    # None is not False: a client of unknown age may be the one.
    if younger is False:
        return "no" if intent.seen is None else "unlikely"
    return "yes" if younger and context.provider.identity.match in intent.facts else "maybe"


def _is_younger(context: TargetContext, client: LiveClient, intent: Intent) -> bool | None:
    """Whether a client was created after the intent, give or take the clocks; None if unknown."""
    pointer = context.provider.identity.created
    created = None if pointer is None else instant(resolve(client.body, pointer))
    begun = instant(intent.at)
    if created is None or begun is None:
        return None
    return later(created, minutes=_SKEW) >= begun


def resolve_command(key: str) -> str:
    """The command by which a user says what came of a pending create."""
    return f"`reconciler resolve {key} --id ID`, or `--absent` if there is none"


def list_ids(clients: Collection[LiveClient]) -> str:
    """The ids of `clients`, for a sentence: the first of them, where there are many."""
    ids = [client.remote_id for client in clients]
    more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
    return ", ".join(ids[:_MOST_IDS]) + more


def _describe(intent: Intent) -> str:
    known = [f"{name} {_value_text(value)}" for name, value in sorted(intent.facts.items())]
    return " and ".join(known) or "what its manifest says"


def _value_text(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else repr(value)
