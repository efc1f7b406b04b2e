"""Turns a Boruta request and the client before it into changed fields, errors by field, or a crash.

A field is judged only when its value changes, as Boruta's changesets do: a value that an update would
refuse passes while it stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GRANTS: Final = (
    "client_credentials",
    "password",
    "authorization_code",
    "agent_code",
    "refresh_token",
    "implicit",
    "revoke",
    "introspect",
    "id_token",
    "vp_token",
    "preauthorized_code",
    "agent_credentials",
)
_AUTH_METHODS: Final = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
)
_SIZES: Final = ("256", "384", "512")
_KEY_ALGORITHMS: Final = {
    "rsa": tuple(f"{kind}{size}" for kind in ("RS", "HS") for size in _SIZES),
    "ec": tuple(f"{kind}{size}" for kind in ("ES", "HS") for size in _SIZES),
    "universal": ("EdDSA",),
}
_COLUMN_WIDTH: Final = 255
_INVALID: Final = "is invalid"

Mode = Literal["create", "update"]


class Crash(Exception):
    """The database refuses a value that passed the checks, which is a 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """How one field is read: the check of a changed value, and what becomes of a null."""

    check: Callable[[Any, Mode], list[str]]
    default: Any = None
    null: Literal["store", "refuse", "crash", "crash on update"] = "refuse"
    narrow: bool = False  # a varchar(255) column


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
    """The client `before` with the known `fields` laid over it; raises Crash where Boruta answers 500."""
    found = Changes(after=dict(before))
    crashes = []
    for name, rule in FIELDS.items():
        value = rule.default if fields.get(name) == "" else fields.get(name)
        if name not in fields or value == before.get(name):
            continue
        if value is None and rule.null.startswith("crash"):
            if rule.null == "crash" or mode == "update":
                crashes.append(f'null value in column "{name}" violates not-null constraint')
            continue
        errors = _errors(rule, value, mode)
        if errors:
            found.errors[name] = errors
        elif rule.narrow and isinstance(value, str) and len(value) > _COLUMN_WIDTH:
            crashes.append("value too long for type character varying(255)")
        found.after[name] = value
    _check_keys(found, before)
    if crashes and not found.errors:
        raise Crash(crashes[0])
    return found


def _errors(rule: Field, value: Any, mode: Mode) -> list[str]:
    if value is None:
        return [] if rule.null == "store" else ["can't be blank"]
    return rule.check(value, mode)


def _check_keys(found: Changes, before: Mapping[str, Any]) -> None:
    # The key pair type is judged whether it changes or not: that is why old rows refuse every PUT.
    kind = found.after["key_pair_type"]
    if not _fits_key_pair(kind):
        found.errors.setdefault("key_pair_type", [_INVALID])
        return
    algorithm = found.after["id_token_signature_alg"]
    changed = algorithm != before["id_token_signature_alg"]
    if changed and algorithm not in _KEY_ALGORITHMS[kind["type"]]:
        found.errors.setdefault("id_token_signature_alg", [_INVALID])


def _fits_key_pair(kind: Any) -> bool:
    match kind:
        case {"type": "rsa", "modulus_size": str(modulus), "exponent_size": str(exponent)}:
            return modulus in ("2048", "3072", "4096") and exponent == "65537"
        case {"type": "ec", "curve": str(curve)}:
            return curve in ("P-256", "P-384", "P-512", "P-521")
        case {"type": "universal"}:
            return True
    return False


def _anything(_value: Any, _mode: Mode) -> list[str]:
    return []


def _text(value: Any, _mode: Mode) -> list[str]:
    return [] if isinstance(value, str) else [_INVALID]


def _boolean(value: Any, _mode: Mode) -> list[str]:
    return [] if isinstance(value, bool) else [_INVALID]


def _one_of(*allowed: str) -> Callable[[Any, Mode], list[str]]:
    return lambda value, _mode: [] if isinstance(value, str) and value in allowed else [_INVALID]


def _seconds(create: int | None, update: int | None) -> Callable[[Any, Mode], list[str]]:
    def check(value: Any, mode: Mode) -> list[str]:
        most = create if mode == "create" else update
        fits = isinstance(value, int) and not isinstance(value, bool)
        return [] if fits and (most is None or 1 <= value <= most) else [_INVALID]

    return check


def _addresses(value: Any, _mode: Mode) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return [_INVALID]
    return [f"`{item}` is invalid" for item in value if not _is_address(item)]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc) and "#" not in text


def _members(allowed: tuple[str, ...], *, unique: bool) -> Callable[[Any, Mode], list[str]]:
    def check(value: Any, _mode: Mode) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return [_INVALID]
        if not set(value) <= set(allowed):
            return [f"must be part of {', '.join(allowed)}"]
        return ["must be unique"] if unique and len(set(value)) < len(value) else []

    return check


_FLAG: Final = Field(check=_boolean, default=False, null="crash")
_LOOSE_FLAG: Final = Field(check=_boolean, default=False, null="store")
_SHORT_TEXT: Final = Field(check=_text, null="store", narrow=True)
_UNSEEN: Final = Field(check=_anything, null="store")

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
    "redirect_uris": Field(check=_addresses, default=[], null="crash on update"),
    # Create takes 86400, update no more than 300: raising one takes a delete and a create.
    "access_token_ttl": Field(check=_seconds(86400, 300), default=86400),
    "authorization_code_ttl": Field(check=_seconds(600, 600), default=600),
    "authorization_request_ttl": Field(check=_seconds(300, None), default=300),
    "id_token_ttl": Field(check=_seconds(86400, None), default=86400),
    "refresh_token_ttl": Field(check=_seconds(2592000, 86400), default=2592000),
    "agent_token_ttl": Field(check=_seconds(None, None), default=2592000),
    "supported_grant_types": Field(check=_members(GRANTS, unique=True), default=list(GRANTS)),
    "token_endpoint_auth_methods": Field(
        check=_members(_AUTH_METHODS, unique=False),
        default=["client_secret_basic", "client_secret_post"],
        null="crash",
    ),
    "token_endpoint_jwt_auth_alg": Field(check=_one_of(*_KEY_ALGORITHMS["rsa"]), default="HS256"),
    "id_token_signature_alg": Field(check=_text, default="RS512"),
    "userinfo_signed_response_alg": _SHORT_TEXT,
    "response_mode": Field(
        check=_one_of("post", "direct_post"), default="direct_post", null="store"
    ),
    "key_pair_type": Field(
        check=_anything,
        default={"type": "rsa", "modulus_size": "2048", "exponent_size": "65537"},
    ),
    "signatures_adapter": Field(check=_text, default="Elixir.Boruta.Internal.Signatures"),
    "jwt_public_key": Field(check=_text, null="store"),
    "jwk": _UNSEEN,
    "jwks_uri": _UNSEEN,
    "logo_uri": _UNSEEN,
    "metadata": _UNSEEN,
    "id_token_kid": _UNSEEN,
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
