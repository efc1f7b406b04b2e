"""The words of the tool as frozen values: what is to change and why, and what became of it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal, TypeAlias

from reconciler.core.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.core.model import InventoryEntry, Json, LiveClient, Manifest


class Action(Enum):
    """What is to happen to a client, in Terraform's words.

    A move changes only the record: the client is known by another key, or of another target.
    """

    NOOP = "noop"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    MOVE = "move"


class Origin(Enum):
    """Who moved: the server away from what was last applied, git, or both. Only for people."""

    DRIFT = "drift"
    CONFIG = "config"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedChange:
    """A change inside an object or an ordered list, `pointer` relative to its field."""

    pointer: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A managed field whose value is to change, in canonical form, secrets Redacted.

    `before` is MISSING where the server holds or shows none. For a set, `added` and `removed`
    are its members; for an object or a list, `nested` says what differs inside.
    """

    field: str
    before: Json
    after: Json
    origin: Origin | None = None
    added: tuple[Json, ...] = ()
    removed: tuple[Json, ...] = ()
    nested: tuple[NestedChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A guard's veto: `rule` names it for machines, `message` says why and what to do.

    `holds_back` is what is not sent: the change of its client alone, or all of the apply.
    """

    rule: str
    message: str
    holds_back: Literal["client", "apply"] = "apply"


Operation: TypeAlias = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request that changes a server; `body` is enveloped and may hold Secrets.

    `path` is relative to the target's base URL. It holds `{id}` until the server has given one.
    """

    operation: Operation
    method: str
    path: str
    content_type: str | None
    body: Json


# Where the secret of a client is that was found again: the server shows it still, its sink has it,
# a private file keeps it, or no answer tells it any more. "" where that is no question.
SecretState: TypeAlias = Literal["", "readable", "stored", "spooled", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordClient:
    """Record the client as the answers show it, by its manifest.

    `superseded` are the predecessors that are still to be deleted; a replace adds its own. With
    `abandons_create` the create that was pending came to nothing. `secret` is that of a client
    that is found again: "readable" is one to be stored now.
    """

    superseded: tuple[str, ...] = ()
    abandons_create: bool = False
    secret: SecretState = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry:
    """Record this very entry, of a client that no manifest names any more."""

    entry: InventoryEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetClient:
    """Record nothing more of the client: it is ours no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMove:
    """Record the client under this change's key, and no longer under `key` of `target`."""

    target: str
    key: str


# What a change makes of the record of its client, once its requests are done.
RecordUpdate: TypeAlias = RecordClient | RecordEntry | ForgetClient | RecordMove


# How the client of a change is ours: as the record's `ClientOrigin`, or recorded by a run; the entry
# edited by hand; one that was succeeded; what a lost create of ours made; nobody's.
Provenance: TypeAlias = Literal[
    "recorded", "adopted", "bound", "edited", "predecessor", "unrecorded", "foreign"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a reviewer has to know of a client that is taken away, replaced or taken over.

    `name` is the live one, "" where it is secret or there is none. `last_used` is as the server
    says it, "" for never, None where it does not tell. `in_git` is False where only the working
    tree's record says that the id is ours, and git's last revision of it does not.
    """

    name: str
    last_used: str | None
    origin: Provenance
    in_git: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to happen to one client, and why.

    `requests` are the very ones that apply sends, in order; one that carries what a create
    answered is a prediction. `manifest` (resolved) and `live` are what they were made from; a
    client that no manifest names any more has none. `record` is for the inventory, None where it
    stays as it is; a delete takes the id out by itself. `client_id` is the id that the client logs
    in with, "" where that is the remote id, or the server is yet to give one.
    """

    target: str
    key: str
    action: Action
    reason: str
    remote_id: str | None = None
    client_id: str = ""
    fields: tuple[FieldChange, ...] = ()
    requests: tuple[Request, ...] = ()
    refusal: Refusal | None = None
    warnings: tuple[str, ...] = ()
    manifest: Manifest | None = None
    live: LiveClient | None = None
    record: RecordUpdate | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """The changes of one target, sorted by key; `errors` say why it could not be planned whole."""

    target: str
    provider: str
    base_url: str
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do, sorted by target. A plan without changes is a plan."""

    targets: tuple[TargetPlan, ...]


class Status(Enum):
    """How one change ended. `unknown`: the request left and no answer says what came of it."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one change.

    `message` says why it failed or was skipped, or what to check. `server_changed` are fields
    that the server's answer to the write shows other than they were wanted. `secret_location`
    says where a new client's secret went, never what it is. `tracking` is what the server called
    the requests. `accepted` says that the server accepted one. `before` and `after` are keyed fingerprints of all that it showed of the client,
    "" where it showed none.
    """

    target: str
    key: str
    action: Action
    status: Status
    remote_id: str | None = None
    client_id: str = ""
    message: str = ""
    server_changed: tuple[FieldChange, ...] = ()
    secret_location: str = ""
    requests_sent: int = 0
    tracking: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    accepted: bool = False

    @property
    def may_have_changed(self) -> bool:
        """Whether something is another than before, on the server or in the record, or may be."""
        if self.accepted or self.status is Status.UNKNOWN:
            return True
        return self.status is Status.DONE and self.action is not Action.NOOP


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDelivery:
    """What became of a secret that waited in the private file `path` for its sink.

    `status` is done, failed or skipped; `message` says why, or what is left to do. `location` is
    where the secret went.
    """

    target: str
    key: str
    remote_id: str
    path: str
    status: Status
    location: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """What became of every change of a plan, in the plan's order, and of secrets that waited."""

    outcomes: tuple[Outcome, ...]
    deliveries: tuple[SecretDelivery, ...] = ()
