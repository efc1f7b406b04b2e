"""A provider as values: what a vendor's API looks like, read from its descriptor and its client schema."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from reconciler.core.dataclass import dataclass, field
from reconciler.core.model import MISSING, Json, JsonObject, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.project import RateLimit


class UpdateStyle(Enum):
    """How a vendor wants a change: RFC 6902, RFC 7396, a whole body, or the changed fields."""

    JSON_PATCH = "json-patch"
    MERGE_PATCH = "merge-patch"
    PUT_FULL = "put-full"
    PUT_PARTIAL = "put-partial"


class Merges(Enum):
    """How deep a server merges what an update leaves out: the client's own fields, or objects in them too."""

    TOP = "top"
    DEEP = "deep"


class Answers(Enum):
    """What an expected status brings: the client, its address in Location (RFC 9110), or nothing to read."""

    CLIENT = "client"
    LOCATION = "location"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One call: `path` is relative to the collection, `envelope` wraps the request's body.

    `item` is the RFC 6901 pointer to the client (or, of a list, to the array) in the answer. Where
    the call `answers` otherwise than with the client, that is read by its id. `query` goes along
    with every such request.
    """

    method: str
    path: str = ""
    expect: frozenset[int]
    content_type: str = "application/json"
    envelope: str | None = None
    item: str = ""
    answers: Answers = Answers.CLIENT
    query: Mapping[str, str] = field(default_factory=dict)


class PageStyle(Enum):
    """How a list comes in pages: not, by offset, by number, or each naming the next, in Link or in its body."""

    NONE = "none"
    OFFSET = "offset"
    PAGE = "page"
    LINK = "link"
    NEXT = "next"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    """How a list is paged; `total` and `next` are pointers into a page, to what proves a list whole.

    `total` finds the stated number of items. `next` finds the address of the next page or, where
    there is a `token_parameter`, what that is set to. The first page has the number `first_page`.
    Without `documented` the vendor promises no pages for this list: they are asked for, and a
    server that answers with all at once, or with the same once more, has shown its whole list.
    """

    style: PageStyle = PageStyle.OFFSET
    limit_parameter: str = ""
    page_size: int = 0
    offset_parameter: str = ""
    page_parameter: str = ""
    first_page: int = 0
    token_parameter: str = ""
    next: str | None = None
    total: str | None = None
    documented: bool = True


class Chosen(Enum):
    """Who chooses the id of a new client, in place of the server: the tool, a UUID, or the manifest, a field."""

    UUID = "uuid"
    FIELD = "field"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`pointer` finds the remote id in an item; `chosen` says who gives it, None for the server.

    `client_id` points to the id that the client logs in with, where that is another. `match` is the field that a client is known by to people, and `unique` are those that no two
    clients of a server share. `recognize` are the fields, and
    `created` the pointer to the creation time, by which a create whose answer was lost is found
    in a list. `last_used` is the pointer to the time of the last use. `internal` is the pointer to
    what is true of the clients that the vendor's own product works with.
    """

    pointer: str
    client_id: str | None = None
    chosen: Chosen | None = None
    match: str | None = None
    unique: tuple[str, ...] = ()
    recognize: tuple[str, ...] = ()
    created: str | None = None
    last_used: str | None = None
    internal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The field that turns a client off, and the values that it has then and otherwise."""

    field: str
    off: Json
    on: Json


class Believed(Enum):
    """Which answers tell the secret that a client logs in with: all, a create's alone, or none."""

    ALWAYS = "always"
    CREATE = "create"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSecret:
    """A client's secret is changed by setting `field` to one that the tool has made."""

    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedSecret:
    """A client's secret is changed by a `call`, and the server makes the new one.

    `secret` is the JSON Pointer to it in the answer, "" for wherever a member is named like it.
    `finish` is the call that takes the old secret away, which holds until then; None where it
    ceases to at once.
    """

    call: Endpoint
    secret: str = ""
    finish: Endpoint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Where answers tell what a client alone is read and changed by (RFC 7592 section 3).

    `token` and `uri` are the JSON Pointers to its registration access token and to the address of
    its configuration endpoint.
    """

    token: str
    uri: str


class Scheme(Enum):
    """How a request says who sends it, in its Authorization header (RFC 9110 section 11.6.2); not at all for NONE."""

    BEARER = "Bearer"
    TOKEN = "token"  # noqa: S105 - the name of a scheme
    SSWS = "SSWS"
    BASIC = "Basic"
    NONE = "none"


class ClientAuthentication(Enum):
    """How a client proves itself at the token endpoint: by its secret (RFC 6749 2.3.1), or its key (RFC 7523)."""

    POST = "client_secret_post"
    BASIC = "client_secret_basic"
    PRIVATE_KEY_JWT = "private_key_jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """RFC 6749 section 4.4; `path` is relative to the base URL, None where another host answers.

    `scheme` is how a token that the user gives is sent. `parameters` go into each token request.
    `hint` is what to say where the credentials are refused.
    """

    path: str | None = None
    scope: str | None = None
    hint: str = ""
    scheme: Scheme = Scheme.BEARER
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorShape:
    """Where an error body says what was refused; statuses not in `speaks_on` are never quoted.

    `fields` points to `{field: [message, ...]}`. `hints` is by status, `403`, or by status and
    method, `403 GET`, which goes before it.
    """

    messages: tuple[str, ...] = ()
    fields: str | None = None
    tracking: str | None = None
    speaks_on: frozenset[int] = frozenset()
    documented: bool = True
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """How a field is emptied in a JSON Patch: by `remove`, or by replacing it with `value`."""

    remove: bool = False
    value: Json | Missing = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a server does with a member of a field that names something it does not have.

    `made` are the members by which it makes the thing, `dropped` those by which it leaves the member
    out, both without a word. `path` is relative to the base URL, and `item` the RFC 6901 pointer to
    the list of all there are in its answer; `path` is None where no such list is described.
    """

    path: str | None = None
    item: str = ""
    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What is true of one field of a client, as `x-reconciler` and the standard keywords say it.

    `read_as` is the JSON Pointer to it in an answer. `inside` says whether something is said of its
    inside that a comparison minds.
    """

    name: str
    schema: JsonObject
    read_as: str
    inside: bool = False
    is_set: bool = False
    compare_by: tuple[str, ...] = ()
    equal: tuple[tuple[Json, ...], ...] = ()
    clear: Clear | None = None
    known: Known | None = None
    immutable: bool = False
    secret: bool = False
    volatile: bool = False
    create_only: bool = False
    update_only: bool = False
    read_only: bool = False
    write_only: bool = False
    default: Json | Missing = MISSING
    when_invalid: Json | Missing = MISSING


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Provider:
    """Everything that the core and the remote layer know of a vendor.

    It is compared by identity, so that what follows from a provider can be computed once and kept.
    `list` may be paged as `pagination` says; None is a list without pages, if `list_is_described`
    says that the descriptor states so, else one of which that is not known. `always` are the fields
    that every partial PUT carries, because the server would empty them. `merges` says how deep an
    update of a part is merged, TOP for all other styles. Without
    `takes_tests` the server refuses a JSON Patch that tests. With `carries_id` an update carries the
    client's id, and without `carries_unknown` a whole PUT leaves out what no schema describes. `protected` are names and
    ids of clients that are never touched. `rotate` is how a client gets a new
    secret: the call that has the server make one, or the field to set; None where nothing does.
    `secret` is the JSON Pointer to the secret that a client logs in with, "" where provider.yaml
    does not say, and `believed` which answers tell it: what another has there is a mask. With `registration` each client has a token of its own, by which alone it is read and changed. `concurrency` is how many requests the server takes at once. `request_id_header`
    is where answers say by which id the server's logs know the request, in
    small letters.
    """

    name: str
    title: str
    kind: str
    collection: str
    list: Endpoint | None
    pagination: Pagination | None
    list_is_described: bool = True
    create: Endpoint
    read: Endpoint
    update: Endpoint
    delete: Endpoint | None
    style: UpdateStyle
    always: tuple[str, ...]
    merges: Merges = Merges.TOP
    takes_tests: bool = True
    carries_id: bool = False
    carries_unknown: bool = True
    identity: Identity
    token: TokenRequest
    errors: ErrorShape
    rate_limit: RateLimit | None = None
    fields: Mapping[str, Field]
    client_schema: JsonObject
    create_schema: JsonObject
    update_schema: JsonObject
    protected: frozenset[str] = frozenset()
    switch: Switch | None = None
    rotate: IssuedSecret | ChosenSecret | None = None
    registration: Registration | None = None
    secret: str = ""
    believed: Believed = Believed.ALWAYS
    request_id_header: str | None = None
    concurrency: int = 8
