"""Turns a Boruta request and the client before it into changed fields, errors by field, or a crash.

A field is judged only when its value changes, as Boruta's changesets do: a value that an update would
refuse passes while it stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from reconciler.sandbox.boruta.checks import (
    GRANTS,
    Mode,
    addresses,
    anything,
    boolean,
    cast_flag,
    cast_list,
    cast_number,
    from_one_second,
    grants,
    mapping,
    members,
    one_of,
    seconds,
    text_value,
)
from reconciler.sandbox.boruta.keys import (
    RSA_ALGORITHMS,
    Crash,
    algorithm_errors,
    check_jwk,
    key_errors,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_AUTH_METHODS: Final = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
)
_ADAPTER: Final = "Elixir.Boruta.Internal.Signatures"
_COLUMN_WIDTH: Final = 255

_TOO_LONG: Final = (
    "ERROR 22001 (string_data_right_truncation) value too long for type character varying(255)"
)
_NO_TEXT: Final = (
    'ERROR 22021 (character_not_in_repertoire) invalid byte sequence for encoding "UTF8": 0x00'
)

Null = Literal["store", "default", "refuse", "crash"]


class BadText(Exception):
    """A text that no column holds, which is a 400; the message is its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """How one field is read: the check of a changed value, and what becomes of a null."""

    check: Callable[[Any, Mode], list[str]]
    default: Any = None
    null: Null = "refuse"
    null_on_update: Null | None = None  # None: as on create
    narrow: bool = False  # a column, or an array of them, of varchar(255)
    cast: Callable[[Any], Any] = lambda value: value


@dataclass(slots=True, kw_only=True)
class Changes:
    """What a request makes of a client: the next value of every field, and the errors by field."""

    after: dict[str, Any]
    errors: dict[str, list[str]] = field(default_factory=dict)


def is_uuid(text: object) -> bool:
    """Whether `text` is a UUID in its hyphenated spelling."""
    try:
        return isinstance(text, str) and str(UUID(text)) == text.lower()
    except ValueError:
        return False


def changed_client(fields: Mapping[str, Any], before: Mapping[str, Any], mode: Mode) -> Changes:
    """The client `before` with the known `fields` laid over it.

    Raises Crash where Boruta answers 500, and BadText where it answers 400.
    """
    found = Changes(after=dict(before))
    crashes: list[str] = []
    for name, rule in FIELDS.items():
        value = rule.default if fields.get(name) == "" else rule.cast(fields.get(name))
        if name not in fields or value == before.get(name):
            continue
        if value is None:
            value = _null(name, rule, mode, found, crashes)
        elif errors := rule.check(value, mode):
            found.errors[name] = errors
        elif rule.narrow:
            crashes += [_TOO_LONG for text in _texts(value) if len(text) > _COLUMN_WIDTH]
        found.after[name] = value
    _check_keys(found, before, mode)
    if not found.errors:
        _store(found, before, crashes)
    return found


def _null(name: str, rule: Field, mode: Mode, found: Changes, crashes: list[str]) -> Any:
    """What becomes of a null: it is stored, replaced by the default, refused, or breaks the server."""
    what = rule.null if mode == "create" else rule.null_on_update or rule.null
    if what == "crash":
        crashes.append(
            f'ERROR 23502 (not_null_violation) null value in column "{name}" of relation '
            '"oauth_clients" violates not-null constraint'
        )
    elif what == "refuse":
        found.errors[name] = ["can't be blank"]
    return rule.default if what == "default" else None


def _store(found: Changes, before: Mapping[str, Any], crashes: list[str]) -> None:
    """Raise what the database says of values that passed the checks."""
    changed = [value for name, value in found.after.items() if value != before.get(name)]
    if any("\0" in text for value in changed for text in _texts(value)):
        raise BadText(_NO_TEXT)
    if crashes:
        raise Crash(crashes[0])
    if found.after["jwk"] != before.get("jwk"):
        check_jwk(found.after["jwk"])


def _texts(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if type(text) is str]


def _check_keys(found: Changes, before: Mapping[str, Any], mode: Mode) -> None:
    # The key pair type is judged whether it changes or not: that is why old rows refuse every PUT.
    kind = found.after["key_pair_type"]
    if kind is None:
        return
    errors = key_errors(kind, mode)
    for name, texts in errors.items():
        found.errors.setdefault(name, texts)
    if errors:
        return
    for name in ("id_token_signature_alg", "userinfo_signed_response_alg"):
        value = found.after[name]
        if value is not None and value != before[name] and name not in found.errors:
            wrong = algorithm_errors(value, kind)
            found.errors |= {name: wrong} if wrong else {}


_FLAG: Final = Field(check=boolean, cast=cast_flag, default=False, null="crash")
_LOOSE_FLAG: Final = Field(check=boolean, cast=cast_flag, default=False, null="store")
_SHORT_TEXT: Final = Field(check=text_value, null="store", narrow=True)
_UNSEEN: Final = Field(check=anything, null="store")

FIELDS: Final[dict[str, Field]] = {
    "name": _SHORT_TEXT,
    "secret": _SHORT_TEXT,
    "public_client_id": _SHORT_TEXT,
    "confidential": _FLAG,
    "enforce_tx_code": _FLAG,
    "public_refresh_token": _FLAG,
    "public_revoke": _FLAG,
    "check_public_client_id": _FLAG,
    "pkce": _LOOSE_FLAG,
    "enforce_dpop": _LOOSE_FLAG,
    "authorize_scope": _LOOSE_FLAG,
    "redirect_uris": Field(
        check=addresses, cast=cast_list, default=[], null_on_update="crash", narrow=True
    ),
    # Create takes 86400, update no more than 300: raising one takes a delete and a create.
    "access_token_ttl": Field(
        check=seconds(86400, 300),
        cast=cast_number,
        default=86400,
        null="default",
        null_on_update="refuse",
    ),
    "authorization_code_ttl": Field(check=seconds(600, 600), cast=cast_number, default=600),
    "authorization_request_ttl": Field(check=seconds(300, None), cast=cast_number, default=300),
    "id_token_ttl": Field(check=seconds(86400, None), cast=cast_number, default=86400),
    "refresh_token_ttl": Field(check=seconds(2592000, 86400), cast=cast_number, default=2592000),
    "agent_token_ttl": Field(check=from_one_second, cast=cast_number, default=2592000),
    "supported_grant_types": Field(
        check=grants, default=list(GRANTS), null="default", null_on_update="store"
    ),
    "token_endpoint_auth_methods": Field(
        check=members(_AUTH_METHODS, "has an invalid entry"),
        default=["client_secret_basic", "client_secret_post"],
        null="crash",
    ),
    "token_endpoint_jwt_auth_alg": Field(check=one_of(*RSA_ALGORITHMS), default="HS256"),
    "id_token_signature_alg": Field(
        check=text_value, default="RS512", null="default", null_on_update="refuse"
    ),
    "userinfo_signed_response_alg": _SHORT_TEXT,
    "response_mode": Field(
        check=one_of("post", "direct_post"), default="direct_post", null="store"
    ),
    "key_pair_type": Field(
        check=anything,
        default={"type": "rsa", "modulus_size": "2048", "exponent_size": "65537"},
    ),
    "signatures_adapter": Field(check=one_of(_ADAPTER), default=_ADAPTER),
    "jwt_public_key": Field(check=text_value, null="store"),
    "jwk": _UNSEEN,
    "jwks_uri": _SHORT_TEXT,
    "logo_uri": _SHORT_TEXT,
    "metadata": Field(check=mapping, null="store"),
    "id_token_kid": _SHORT_TEXT,
    "authorized_resources": _UNSEEN,
    "key_pair_id": _UNSEEN,
}
# Written and never answered: nobody can see them drift.
WRITE_ONLY: Final = frozenset(
    {
        "agent_token_ttl",
        "jwk",
        "jwks_uri",
        "logo_uri",
        "metadata",
        "id_token_kid",
        "authorized_resources",
        "key_pair_id",
    }
)
DEFAULTS: Final = {name: rule.default for name, rule in FIELDS.items()}
