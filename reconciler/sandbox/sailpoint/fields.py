"""Turns a SailPoint client, as a create or a patch would leave it, into the problems with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INT32: Final = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What a field takes, in words and as a test; `default` is used when a create leaves it out."""

    wanted: str
    fits: Callable[[Any], bool]
    required: bool = False
    nullable: bool = False
    patchable: bool = True
    default: Any = None


def _text(value: object) -> bool:
    return isinstance(value, str)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _boolean(value: object) -> bool:
    return isinstance(value, bool)


def _seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT32 <= value < _INT32


def _one_of(*allowed: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in allowed


GRANTS: Final = ("CLIENT_CREDENTIALS", "AUTHORIZATION_CODE", "REFRESH_TOKEN")


def _grants(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(g, str) and g in GRANTS for g in value)


_GRANT_WORDS: Final = f"an array of {', '.join(GRANTS)}"
FIELDS: Final[dict[str, Field]] = {
    "businessName": Field(wanted="a string", fits=_text, nullable=True),
    "homepageUrl": Field(wanted="a string", fits=_text, nullable=True),
    "name": Field(wanted="a string", fits=_text, required=True),
    "description": Field(wanted="a string", fits=_text, required=True, nullable=True),
    "accessTokenValiditySeconds": Field(wanted="an int32", fits=_seconds, required=True),
    "refreshTokenValiditySeconds": Field(wanted="an int32", fits=_seconds, default=0),
    "redirectUris": Field(wanted="an array of strings", fits=_texts, nullable=True),
    "grantTypes": Field(wanted=_GRANT_WORDS, fits=_grants, required=True),
    "accessType": Field(
        wanted="ONLINE or OFFLINE", fits=_one_of("ONLINE", "OFFLINE"), required=True
    ),
    "type": Field(
        wanted="CONFIDENTIAL or PUBLIC",
        fits=_one_of("CONFIDENTIAL", "PUBLIC"),
        patchable=False,
        default="CONFIDENTIAL",
    ),
    "internal": Field(wanted="a boolean", fits=_boolean, patchable=False, default=False),
    "enabled": Field(wanted="a boolean", fits=_boolean, required=True),
    "strongAuthSupported": Field(wanted="a boolean", fits=_boolean, default=False),
    "claimsSupported": Field(wanted="a boolean", fits=_boolean, default=False),
    # Left out, it grants everything.
    "scope": Field(
        wanted="an array of strings",
        fits=_texts,
        nullable=True,
        patchable=False,
        default=["sp:scopes:all"],
    ),
}
# `tenant` is in no schema and in the list of what can be patched.
PATCHABLE: Final = frozenset(name for name, field in FIELDS.items() if field.patchable) | {"tenant"}


def create_problems(fields: Mapping[str, Any]) -> list[str]:
    """The problems of a create's body."""
    unknown = [
        f"{name} is not a field of a create request." for name in fields if name not in FIELDS
    ]
    missing = [
        f"{name} is required."
        for name, field in FIELDS.items()
        if field.required and name not in fields
    ]
    return unknown + missing + problems(fields)


def problems(fields: Mapping[str, Any]) -> list[str]:
    """The problems of the known fields among `fields`, one by one and together."""
    found = [
        f"{name} must be {field.wanted}."
        for name, field in FIELDS.items()
        if name in fields and not _accepts(field, fields[name])
    ]
    return found or _grant_problems(fields)


def _accepts(field: Field, value: object) -> bool:
    return field.nullable if value is None else field.fits(value)


def _grant_problems(fields: Mapping[str, Any]) -> list[str]:
    grants = fields.get("grantTypes", [])
    if "REFRESH_TOKEN" in grants and "AUTHORIZATION_CODE" not in grants:
        return ["REFRESH_TOKEN needs AUTHORIZATION_CODE beside it."]
    if "AUTHORIZATION_CODE" in grants and not fields.get("redirectUris"):
        return ["AUTHORIZATION_CODE needs at least one of redirectUris."]
    return []
