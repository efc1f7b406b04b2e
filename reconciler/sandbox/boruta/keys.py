"""Judges what depends on a Boruta client's key: its type, and the algorithms that have to fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.boruta.checks import INVALID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.boruta.checks import Mode

_SIZES: Final = ("256", "384", "512")
_FITTING: Final = {
    "rsa": tuple(f"{kind}{size}" for kind in ("RS", "HS") for size in _SIZES),
    "ec": tuple(f"{kind}{size}" for kind in ("ES", "HS") for size in _SIZES),
    "universal": ("EdDSA",),
}
RSA_ALGORITHMS: Final = _FITTING["rsa"]
_ALGORITHMS: Final = frozenset(name for names in _FITTING.values() for name in names)
_SMALLEST: Final = 2048
_NO_PRIVATE_KEY: Final = "private_key_type is invalid"
_ASN1: Final = (
    "no match of right hand side value: {:error, {:asn1, {{:encode_integer, :undefined}, "
    '[{:"OTP-PUB-KEY", :encode_integer, 2, [file: ~c"../src/OTP-PUB-KEY.erl", line: 23]}]}}}'
)
_MEMBERS_OF_KEYS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}


class Crash(Exception):
    """A value that passed the checks breaks the server, which is a 500; the message is its reason."""


def key_errors(kind: Any, mode: Mode) -> dict[str, list[str]]:
    """The errors by field of a key pair type; raises Crash where the server breaks on it."""
    if not isinstance(kind, dict):
        return {"key_pair_type": [INVALID]}
    # Only a create makes a key, and then also has no private one to store.
    made = {"private_key": [_NO_PRIVATE_KEY]} if mode == "create" else {}
    match kind.get("type"):
        case "rsa":
            return _rsa_errors(kind, made)
        case "ec":
            return _curve_errors(kind, mode)
        case "universal":
            # It takes a service that this server was not set up with.
            return {"private_key": ["Could not create did."]} if mode == "create" else {}
        case _:
            missing = "validation failed: Required property type is missing at #."
            adapter = {"signatures_adapter": ["unknown key pair type"]} if made else {}
            return {"key_pair_type": [missing], **made, **adapter}


def _rsa_errors(kind: Mapping[str, Any], made: dict[str, list[str]]) -> dict[str, list[str]]:
    sizes = kind.get("modulus_size"), kind.get("exponent_size")
    if any(isinstance(size, int) for size in sizes):
        raise Crash("errors were found at the given arguments:\n\n  * 1st argument: not a binary\n")
    if not all(isinstance(size, str) and size.isdigit() for size in sizes):
        return {"key_pair_type": [INVALID], **made}
    if int(str(sizes[0])) < _SMALLEST:
        return {"key_pair_type": ["rsa modulus_size must be at least 2048"], **made}
    return {}


def _curve_errors(kind: Mapping[str, Any], mode: Mode) -> dict[str, list[str]]:
    curve = kind.get("curve")
    if curve == "P-512" and mode == "create":
        # It passes the server's own pattern, and then there is no such curve.
        raise Crash("no function clause matching in :crypto.generate_key/2")
    if curve in ("P-256", "P-384", "P-512"):
        return {}
    pattern = "#/curve do match required pattern /^P-256|P-384|P-512$/."
    return {"key_pair_type": [f"validation failed: {pattern}"]}


def algorithm_errors(name: object, kind: Mapping[str, Any]) -> list[str]:
    """The errors of an algorithm: one for a name that is none, and one where it does not fit the key."""
    unknown = [] if name in _ALGORITHMS else [INVALID]
    return unknown if name in _FITTING.get(kind.get("type", ""), ()) else [*unknown, INVALID]


def check_jwk(key: Any) -> None:
    """Raise Crash for a JSON Web Key that lacks what its kind has (RFC 7518 section 6)."""
    if isinstance(key, dict):
        members = _MEMBERS_OF_KEYS.get(str(key.get("kty")), ("kty",))
        if any(member not in key for member in members):
            raise Crash(_ASN1)
