"""The guards: each rule by which a change is refused, and the answers to who needs a client."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import (
    Action,
    Change,
    FieldChange,
    Origin,
    RecordClient,
    Refusal,
)
from reconciler.core.model import MISSING, Redacted
from reconciler.core.pointer import escape, resolve
from reconciler.core.secrets import reveal
from reconciler.core.values import brief_text, first_few, same
from reconciler.plan.applied import ignored_fields
from reconciler.plan.requests import blocked_changes, hidden_secrets
from reconciler.provider.model import ChosenSecret
from reconciler.provider.secrets import stated_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from reconciler.core.model import InventoryEntry, Json, JsonObject, LiveClient, Manifest
    from reconciler.core.project import Policy
    from reconciler.plan.context import TargetContext
    from reconciler.provider.model import Provider


class Rule(StrEnum):
    """Why a guard refuses: the word that a plan shows, and what the rule refuses, in a sentence.

    The table in docs/concepts.md has the same sentences; a test holds the two together.
    """

    refuses: str

    def __new__(cls, word: str, refuses: str) -> Self:
        """Make a member that is `word` as a text."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.refuses = refuses
        return member

    OWN_CLIENT = "own-client", "taking anything from the client that the tool itself logs in as"
    PROTECTED = "protected", "changing a client that the server itself needs"
    PREVENT_DESTROY = (
        "prevent-destroy",
        "a replace or a removal that the manifest forbids, or the last one did",
    )
    REPLACE_NOT_ALLOWED = "replace-not-allowed", "a replace that the manifest does not allow"
    REPLACE_IN_VAIN = (
        "replace-in-vain",
        "a replace after which the server would show the same value once more",
    )
    HIDDEN_SECRET = (
        "hidden-secret",
        "an update that must carry a secret of which the server shows a mask",
    )
    REPLACE_BOUND_ID = "replace-bound-id", "a replace of a client that `metadata.id` binds"
    REPLACE_UNOWNED = "replace-unowned", "taking over a client that would have to be replaced"
    NO_DELETE = "no-delete", "a replace where the vendor has no delete"
    BOUND_ID_ABSENT = "bound-id-absent", "a `metadata.id` that is not on the server"
    SHARED_ID = "shared-id", "two manifests that mean one client"
    TWO_OWNERS = "two-owners", "what two targets of one server both claim"
    OTHER_SERVER = "other-server", "a target whose record is of another server"
    AMBIGUOUS_MOVE = "ambiguous-move", "a move that does not say which client it means"
    RENAME = "rename", "creating a client that looks like one which loses its key"
    MAX_DELETES = "max-deletes", "taking away more clients than `policy.maxDeletes` allows"
    MAX_CHANGE_PERCENT = (
        "max-change-percent",
        "taking away a larger share of the clients than `policy.maxChangePercent` allows",
    )
    NO_MANIFEST_LEFT = "no-manifest-left", "pruning a target that has no manifest at all"
    UNREAD_MANIFEST = "unread-manifest", "pruning while a manifest of the target was not read"
    AMBIGUOUS_ADOPTION = "ambiguous-adoption", "taking over one of several clients of a name"
    DOUBTFUL_LIST = (
        "doubtful-list",
        "creating what `policy.adopt` would take over, while the list is not whole",
    )
    FOREIGN_NAMESAKE = (
        "foreign-namesake",
        "creating a client whose name one that is not ours has on the same server",
    )
    AMBIGUOUS_CREATE = (
        "ambiguous-create",
        "creating again where one of several clients may be what a lost create made",
    )
    UNKNOWN_CREATE = (
        "unknown-create",
        "creating again where nobody can look what a lost create made",
    )
    PENDING_CREATE = (
        "pending-create",
        "binding or rotating a client that a lost create may have made, or may have succeeded",
    )
    BOUND = "bound", "binding a client that is bound to another key"
    SUPERSEDED = "superseded", "binding a predecessor that is to be deleted"
    MEANT = "meant", "binding a client that another manifest means"
    KEY_BOUND = "key-bound", "binding a key that has another client"
    BOUND_ELSEWHERE = "bound-elsewhere", "binding a manifest whose `metadata.id` names another"
    NAMESAKE = "namesake", "importing, unasked, a client whose name a manifest without one has"
    ANOTHER_ID = "another-id", "resolving a create that chose an id with a client of another"
    NO_ROTATE = "no-rotate", "rotating where nothing gives a client another secret"
    NOT_AS_WANTED = (
        "not-as-wanted",
        "rotating by a replace what is not as its manifest wants",
    )
    STATED_SECRET = "stated-secret", "rotating a secret that the manifest states"
    SINK_FAILED = "sink-failed", "creating more while the sink refuses a secret that waits"


# Those that are about one client, so that no other change is worse for being sent without it. Any
# other rule, a new one too, stops the whole apply: it is about a target, or about whose a client is.
_OF_ONE_CLIENT: Final = frozenset(
    {
        Rule.OWN_CLIENT,
        Rule.PROTECTED,
        Rule.PREVENT_DESTROY,
        Rule.REPLACE_NOT_ALLOWED,
        Rule.REPLACE_IN_VAIN,
        Rule.HIDDEN_SECRET,
        Rule.REPLACE_BOUND_ID,
        Rule.REPLACE_UNOWNED,
        Rule.NO_DELETE,
        Rule.BOUND_ID_ABSENT,
        Rule.AMBIGUOUS_ADOPTION,
        Rule.DOUBTFUL_LIST,
        Rule.AMBIGUOUS_CREATE,
        Rule.UNKNOWN_CREATE,
        Rule.PENDING_CREATE,
    }
)
_WAY_OUT: Final = "; to do it on purpose, run once with --max-deletes N"


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
    remote_id = resolve(body, provider.identity.pointer)
    # The name may be changed on the server, and the id by how it was set up.
    if provider.protected & {name, remote_id if isinstance(remote_id, str) else ""}:
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


def change_refusal(context: TargetContext, change: Change) -> Refusal | None:
    """The first guard that forbids `change`.

        action   the tool's own  protected  allowReplace  preventDestroy  no delete call
        create   -               -          -             -               -
        adopt    if it narrows   refused    -             -               -
        update   if it narrows   refused    -             -               -
        replace  refused         refused    refused if no refused if yes  refused
        delete   refused         refused    -             -               -

    A noop is always allowed, and so is a move, which sends nothing.
    """
    if change.action in (Action.NOOP, Action.CREATE, Action.MOVE):
        return None
    body = {} if change.live is None else change.live.body
    guards = (
        _narrowed_own_client(context, change),
        protected_refusal(context.provider, body, change.manifest),
        _hidden_secret_refusal(context, change),
        _replace_refusal(change, context.provider) if change.action is Action.REPLACE else None,
    )
    return next((found for found in guards if found is not None), None)


def refuse(context: TargetContext, change: Change, found: Refusal) -> Change:
    """The change, refused: without its requests, and with what the refusal holds back besides."""
    alone = found.rule in _OF_ONE_CLIENT and _is_skipped(context, change)
    refusal = replace(found, holds_back="client" if alone else "apply")
    # A refused change shows no request: none would be sent, and --show-requests says what would.
    return replace(change, refusal=refusal, requests=())


def _is_skipped(context: TargetContext, change: Change) -> bool:
    stated = context.target.policy.refused
    if stated is not None:
        return stated == "skip"
    causes = _blocked(context.provider, change) or change.fields
    # Nobody who changes a file can be asked about it, and others' repairs must not wait for that.
    return bool(causes) and all(cause.origin is Origin.DRIFT for cause in causes)


def _blocked(provider: Provider, change: Change) -> list[FieldChange]:
    """The fields of a change for which the client would have to be replaced."""
    if change.action is not Action.REPLACE or change.manifest is None:
        return []
    return blocked_changes(provider, change.manifest.spec, change.fields)


def in_vain_refusal(entry: InventoryEntry | None, blocked: Iterable[FieldChange]) -> Refusal | None:
    """The veto on a replace for fields of which the server made this very value when it made the client."""
    for change in blocked:
        if (
            entry is not None
            and same(entry.answered.get(change.field, MISSING), change.before)
            and same(entry.applied.get(change.field, MISSING), change.after)
        ):
            return Refusal(
                rule=Rule.REPLACE_IN_VAIN,
                message=f"the server made {change.field} {brief_text(change.before)} of "
                f"{brief_text(change.after)} when it created this client, and would do the same "
                "with the next one: state what the server makes of it, or have the server changed",
            )
    return None


def _hidden_secret_refusal(context: TargetContext, change: Change) -> Refusal | None:
    if change.action is Action.REPLACE or change.manifest is None or change.live is None:
        return None
    if not change.requests:
        return None
    hidden = hidden_secrets(
        context.provider,
        change.manifest.spec,
        change.live.body,
        [field.field for field in change.fields],
        ignored_fields(change.manifest),
    )
    return hidden_secret_refusal(hidden)


def hidden_secret_refusal(hidden: Sequence[str]) -> Refusal | None:
    """The veto on a request that must carry the secrets at these pointers, and cannot."""
    if not hidden:
        return None
    return Refusal(
        rule=Rule.HIDDEN_SECRET,
        message=f"the server shows a mask in place of {', '.join(hidden)}, and a request that leaves "
        "it out may delete it: state it in the manifest by a reference, or say in client.schema.json "
        "that it is readOnly, where only the server sets it, or a secret that is keptWhenLeftOut, "
        "where the server keeps what is left out",
    )


def removal_refusal(
    context: TargetContext, change: Change, entry: InventoryEntry
) -> Refusal | None:
    """Why a client that no manifest names any more may not be taken away; None where it may."""
    if (found := change_refusal(context, change)) is not None or not entry.prevent_destroy:
        return found
    return Refusal(
        rule=Rule.PREVENT_DESTROY,
        message="its manifest is gone, and the last one said lifecycle.preventDestroy: to have the "
        "client taken away, bring the manifest back without it, apply, and remove it again",
    )


def unread_refusal(unread: Sequence[str], alone: Sequence[str]) -> Refusal:
    """The veto on taking away `alone`, the keys without a manifest, while manifests were not read."""
    return Refusal(
        rule=Rule.UNREAD_MANIFEST,
        message=f"a manifest that was not read is no removal, and of this target were not read: "
        f"{first_few(unread)}; it may be one of {', '.join(alone)}: see the warnings of `reconciler validate`, "
        "have all of them read, or leave them out with an exclusion in `manifests`",
    )


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


def refuse_shared_ids(changes: list[Change]) -> None:
    """Refuse, in place, manifests that mean one client: they would undo each other for ever."""
    # All of them, also one that is as wanted by now: it is the next one to be undone.
    owners: dict[str, list[int]] = {}
    for position, change in enumerate(changes):
        if change.remote_id is not None:
            owners.setdefault(change.remote_id, []).append(position)
    for remote_id, positions in owners.items():
        if len(positions) == 1:
            continue
        names = ", ".join(changes[position].key for position in positions)
        message = f"{names} all mean the client {remote_id}: let one of them go"
        for position in positions:
            refused = Refusal(rule=Rule.SHARED_ID, message=message)
            changes[position] = replace(changes[position], refusal=refused)


def threshold_refusals(
    changes: Iterable[Change], policy: Policy, *, not_planned: int = 0
) -> tuple[Refusal, ...]:
    """The limits on how many clients one run may take away, a replaced or a disabled one included.

    `not_planned` is the number of clients of ours that the run does not look at. `policy.override`
    stands in for both limits.
    """
    # A create counts on neither side. Clients that were not picked do: a share is one of all.
    existing = [change for change in changes if change.live is not None]
    # What is held back alone is not taken away, however many of them there are.
    taken = sum(_takes_away(change) for change in existing if not _is_held_back(change))
    ours = len(existing) + not_planned
    if policy.override is not None:
        over = taken > policy.override
        allowed = f"--max-deletes allows {policy.override}"
        return (_too_many(Rule.MAX_DELETES, taken, allowed),) if over else ()
    found = []
    if policy.max_deletes is not None and taken > policy.max_deletes:
        allowed = f"the target's policy.maxDeletes allows {policy.max_deletes}"
        found.append(_too_many(Rule.MAX_DELETES, taken, allowed + _WAY_OUT))
    percent = policy.max_change_percent
    # Multiplied and not divided: a share of no clients at all is no error.
    if percent is not None and taken * 100 > percent * ours:
        allowed = f"the target's policy.maxChangePercent allows {percent:g}% of {ours}"
        found.append(_too_many(Rule.MAX_CHANGE_PERCENT, taken, allowed + _WAY_OUT))
    return tuple(found)


def narrows(change: FieldChange) -> bool:
    """Whether a field loses something: a member of a set, a permission, a part of its range."""
    return bool(change.removed) or _is_less(change.before, change.after)


def _is_less(before: Json, after: Json) -> bool:
    # False is less than True in Python, which is what is wanted of a permission.
    if isinstance(before, int | float) and isinstance(after, int | float):
        return after < before
    return False


def _narrowed_own_client(context: TargetContext, change: Change) -> Refusal | None:
    if change.action in (Action.UPDATE, Action.ADOPT) and not any(map(narrows, change.fields)):
        return None
    why = ": it is never deleted, disabled or narrowed; change it by hand, or run as another client"
    return own_client_refusal(context, change.remote_id, why)


def _replace_refusal(change: Change, provider: Provider) -> Refusal | None:
    lifecycle = change.manifest.lifecycle if change.manifest else None
    kept = _ways_to_keep(_blocked(provider, change))
    # The order decides which way out is named: first those that no word in the manifest opens.
    if provider.delete is None:
        return Refusal(
            rule=Rule.NO_DELETE,
            message=f"{provider.title} cannot delete a client, so this one cannot be replaced{kept}",
        )
    # Before allowReplace: "never" outweighs "may".
    if lifecycle is not None and lifecycle.prevent_destroy:
        return Refusal(
            rule=Rule.PREVENT_DESTROY,
            message="a replace deletes the client, and lifecycle.preventDestroy forbids that: take "
            f"it out of the manifest{kept}",
        )
    if change.manifest is not None and change.manifest.id is not None:
        return Refusal(
            rule=Rule.REPLACE_BOUND_ID,
            message="metadata.id binds this manifest to one client, and a replace makes another: "
            f"take metadata.id out of the manifest first{kept}",
        )
    if lifecycle is not None and lifecycle.allow_replace:
        return None
    return Refusal(
        rule=Rule.REPLACE_NOT_ALLOWED,
        message="a replace gives the client a new id and a new secret: say "
        f"lifecycle.allowReplace: true in its manifest if that is what you want{kept}",
    )


def _ways_to_keep(blocked: Iterable[FieldChange]) -> str:
    """The ways out that leave the client as it is on the server, as the end of a sentence."""
    stated = [
        # A secret has no value that could be shown, and may not be stated in a file anyway.
        (each.field, "" if isinstance(each.before, Redacted) else f": {brief_text(each.before)}")
        for each in blocked
        if each.before is not MISSING
    ]
    if not stated:
        return ""
    values = ", ".join(f"{name}{value}" for name, value in stated)
    pointers = ", ".join(f"/{escape(name)}" for name, _ in stated)
    return (
        f"; or keep the client as the server has it, and state that in its manifest ({values}), "
        f"or list {pointers} in lifecycle.ignoreChanges"
    )


def _is_held_back(change: Change) -> bool:
    return change.refusal is not None and change.refusal.holds_back == "client"


def _takes_away(change: Change) -> bool:
    if change.action is Action.REPLACE:
        return not _serves_nobody(change)
    if change.action is Action.DELETE:
        return True
    # An update of a client that no manifest names can only be the one that turns it off.
    return change.action is Action.UPDATE and change.manifest is None


def _serves_nobody(change: Change) -> bool:
    """Whether a run that died made the client of a change, and nobody was ever told its secret."""
    return isinstance(change.record, RecordClient) and change.record.secret == "lost"  # noqa: S105 - a state


def _too_many(rule: Rule, taken: int, allowed: str) -> Refusal:
    message = f"this plan would delete, replace or disable {taken} client(s), and {allowed}"
    return Refusal(rule=rule, message=message)
