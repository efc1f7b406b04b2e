"""The words of the tool as frozen values: what is wanted, what is live, what is recorded."""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from reconciler.core.dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

# A JSON value as Python holds it. `object` makes every reader look before it uses.
Json: TypeAlias = object
JsonObject: TypeAlias = "Mapping[str, Json]"
EMPTY: Final[Mapping[str, str]] = MappingProxyType({})


class Missing(Enum):
    """The type of MISSING: a member that is not there, which is not the same as null."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be shown: it prints as `(secret)` wherever it ends up.

    `masked` says that the server showed it in the place of the real one, as `**********`: it says
    that there is a secret, and nothing more.
    """

    value: object
    masked: bool = False

    def __repr__(self) -> str:
        return "(secret)"

    def __str__(self) -> str:
        return "(secret)"


@dataclass(frozen=True, slots=True)
class Redacted:
    """What stands for a secret in a plan: equal fingerprints under one key mean equal secrets."""

    fingerprint: str

    def __str__(self) -> str:
        return f"(secret {self.fingerprint})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a document came from: the file as the user would type it, and its index there, from 0."""

    path: str
    document: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in a file, line and column from 1, with the text of that line."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with the input: where, what, and what would be right.

    `pointer` is an RFC 6901 JSON Pointer into the document; with `at_key` the name of that
    member is meant and not its value. `position` is filled in by a second pass over the file.
    `stands_for` is how many problems it is: more than one where they are only counted.
    """

    source: Source
    pointer: str
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"
    at_key: bool = False
    position: Position | None = None
    stands_for: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """What the user allows to happen to a client (Terraform's `lifecycle` block).

    `replace_grace` is how long a replaced client lives on, in seconds; None is what the target says.
    """

    prevent_destroy: bool = False
    allow_replace: bool = False
    allow_namesake: bool = False
    ignore_changes: frozenset[str] = frozenset()
    replace_grace: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One client as a YAML document states it; `name` is its key, unique within `target`.

    `spec` is by the vendor's field names. As read it may hold references, `{env: NAME}`;
    resolved, a Secret stands in the place of each. `formerly` are the keys that it had before,
    each as `name` or as `target/name`. `references` says of a resolved spec where each Secret
    comes from, by pointer, as `env NAME` or `file PATH`.
    """

    source: Source
    kind: str
    name: str
    target: str
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    id: str | None = None
    formerly: tuple[str, ...] = ()
    lifecycle: Lifecycle = Lifecycle()
    references: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    spec: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveClient:
    """A client as its server showed it: the answer without its envelope, secret fields sealed."""

    remote_id: str
    body: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """What a server was seen to hold, by remote id.

    `gone` are the ids that a read by id answered with 404. `listed` says that the server's list is
    among `clients`. A list proves presence, never absence: an id that it lacks is gone only where a
    read by id said so. `doubt` says how the list was seen not to be whole, "" where it was not.
    `barred` are the ids of clients that the server lets nobody of us ask for, each with why.
    """

    clients: Mapping[str, LiveClient]
    gone: frozenset[str] = frozenset()
    listed: bool
    doubt: str = ""
    barred: Mapping[str, str] = field(default_factory=dict)


# How a client that no run created became ours: taken over by its name, or by an id that a person
# stated; "" for one that a run created, and where that is not recorded.
ClientOrigin: TypeAlias = Literal["", "adopted", "bound"]
# Where the secret of a client of ours is; "" where that is not known.
SecretPlace: TypeAlias = Literal["", "stored", "spooled", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryEntry:
    """What is remembered of one client of ours.

    `applied` holds the last applied value of every managed field that is not secret,
    `fingerprints` a keyed fingerprint of those that are, both by field name. `answered` holds the
    values that the server made of an applied one on its own. `superseded` are the remote ids of
    predecessors that a replace has yet to delete, and `superseded_at` says of those that live on for
    a while since when, RFC 3339 in UTC, by remote id. `applied_at` is RFC 3339, UTC; `digest` is of
    what was applied. `prevent_destroy` outlives the manifest that said so. `quarantined_at` is
    when the client was disabled because its manifest was gone. `secret` says where its secret is:
    "stored" in the sink, "spooled" until the sink takes it, "lost" because no answer told it.
    `secret_at` is the place, `target/key`, under which its sink has it, where that is not its own:
    a client that moved leaves its secret where it was. `origin` says how it became ours. `client_id`
    is the id that it logs in with, "" where that is the remote id.
    """

    remote_id: str
    client_id: str = ""
    applied: JsonObject
    fingerprints: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    answered: JsonObject = field(default_factory=lambda: EMPTY)
    applied_at: str
    digest: str
    superseded: tuple[str, ...] = ()
    superseded_at: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    prevent_destroy: bool = False
    quarantined_at: str = ""
    secret: SecretPlace = ""
    secret_at: str = ""
    origin: ClientOrigin = ""

    @property
    def login_id(self) -> str:
        """The id that the client logs in with, by which a sink has its secret."""
        return self.client_id or self.remote_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A create that was about to be sent, and of which no run has recorded what came.

    `remote_id` is the chosen id, None where the server gives one; `predecessor` the client that a
    replace was to succeed. `facts` are the values that recognise the client on a list, by field
    name, none of them secret; `digest` is of all of this, and has a key. `at` is RFC 3339, UTC. `seen`
    are the clients of its name that were there before, None where that is not known.
    """

    key: str
    remote_id: str | None
    predecessor: str | None = None
    facts: JsonObject
    digest: str
    at: str
    seen: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The clients of one target that are ours, and the creates that may have made one, by key.

    `serial` counts the writes of the record, None where a record has a file for each client and no
    number that every write changes. `server` is the address that the ids in it are of, as
    `core.addresses` spells it, "" where that is not known.
    """

    target: str
    entries: Mapping[str, InventoryEntry]
    pending: Mapping[str, Intent] = field(default_factory=dict)
    serial: int | None = 0
    server: str = ""
