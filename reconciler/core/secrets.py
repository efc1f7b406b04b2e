"""Keeps secrets apart from everything that is shown: seals, fingerprints, redacts and reveals them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import MISSING, Json, Redacted, Secret
from reconciler.core.values import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterator


def reveal(value: Json) -> Json:
    """`value` with every Secret replaced by what it holds: only for what goes to a server or a sink."""
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, dict):
        return {name: reveal(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [reveal(member) for member in value]
    return value


def holds_secret(value: Json) -> bool:
    """Whether there is a Secret anywhere in `value`."""
    if isinstance(value, dict):
        return any(map(holds_secret, value.values()))
    if isinstance(value, list | tuple):
        return any(map(holds_secret, value))
    return isinstance(value, Secret)


def secret_texts(value: Json) -> Iterator[str]:
    """The texts and numbers in the Secrets in `value`, as text: what a mask is to look for.

    Those are left out that a server showed in place of the real ones.
    """
    if isinstance(value, Secret):
        yield from () if value.masked else _leaves(value.value)
    elif isinstance(value, dict):
        for member in value.values():
            yield from secret_texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from secret_texts(member)


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _leaves(member)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def fingerprint(key: bytes, value: Json) -> str:
    """A keyed fingerprint (HMAC-SHA-256, RFC 2104, cut to 48 bits) that tells secrets apart and not what they are."""
    text = canonical_json(reveal(value))
    return f"hmac:{_hmac(key, text.encode()).hex()[:12]}"


def redact(value: Json, key: bytes) -> Json:
    """The whole of `value` as one Redacted; MISSING and null say that there is no secret, and stay."""
    if value is MISSING or value is None:
        return value
    return Redacted(fingerprint(key, value))


def fingerprint_key(credential: str) -> bytes:
    """The key for a target's fingerprints, from the secret that the tool itself logs in with.

    So it is as secret as that, the same on every machine that may run the tool, and stored nowhere.
    """
    # A key of its own: what is derived from a credential must not be usable in its place.
    return _hmac(credential.encode(), b"reconciler fingerprint v1")


def seal_of(key: bytes, value: Json) -> str:
    """A keyed digest of what the tool itself writes down: no fingerprint that a plan shows is one."""
    return fingerprint(_hmac(key, b"reconciler seal v1"), value)


def signature(credential: str, value: Json) -> str:
    """The signature of a document (HMAC-SHA-256, RFC 2104) by a key that is made of a secret text."""
    # A key of its own: a fingerprint must never pass for a signature, nor the other way round.
    key = _hmac(credential.encode(), b"reconciler saved plan v1")
    return f"hmac-sha256:{_hmac(key, canonical_json(value).encode()).hex()}"


def is_same_text(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that does not tell how much of them is."""
    import hmac  # noqa: PLC0415 - loads OpenSSL, which validate does not need

    return hmac.compare_digest(one.encode(), other.encode())


def _hmac(key: bytes, message: bytes) -> bytes:
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which validate does not need
    import hmac  # noqa: PLC0415 - as above

    return hmac.digest(key, message, hashlib.sha256)
