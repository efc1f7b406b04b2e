"""Signs the assertion by which a client proves itself with its private key (RFC 7523 section 2.2)."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import Unauthorized

if TYPE_CHECKING:
    from reconciler.http.connection import Credentials

# In seconds. It is used at once, and once only: servers refuse those that live for long.
_LIFE: Final = 60
# RFC 7518 section 3.1, RFC 8037: what a key is used for where neither it nor the user says so.
_BY_KEY: Final = {
    "RSA": "RS256",
    "EC P-256": "ES256",
    "EC P-384": "ES384",
    "EC P-521": "ES512",
    "OKP Ed25519": "EdDSA",
    "OKP Ed448": "EdDSA",
}
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def client_assertion(target: str, credentials: Credentials, audience: str) -> str:
    """A new JWT of the client for the token endpoint `audience`. Unauthorized for a key that cannot sign."""
    try:
        import jwt  # noqa: PLC0415 - an extra, that only a log-in by key needs
    except ImportError:
        missing = "a log-in by private key takes another package: pip install 'oauth-client-reconciler[jwt]'"
        raise Unauthorized(f"{target}: {missing}") from None
    now = int(time.time())
    claims = {
        "iss": credentials.client_id,
        "sub": credentials.client_id,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + _LIFE,
    }
    try:
        key, algorithm, key_id = _key(str(credentials.client_secret.value))
        headers = {"kid": credentials.key_id or key_id}
        return jwt.encode(
            claims,
            key,
            algorithm=credentials.algorithm or algorithm,
            headers={name: value for name, value in headers.items() if value},
        )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, NotImplementedError):
        # Not its own words: a parser may quote what it could not read.
        problem = "auth.privateKey is no private key that can sign: PEM or JWK is wanted, without a passphrase"
    if credentials.algorithm:
        problem += f", and of the kind that {credentials.algorithm} takes"
    raise Unauthorized(f"{target}: {problem}")


def _key(text: str) -> tuple[Any, str, str | None]:
    """The key, what it signs with and, of a JWK, its `kid`."""
    if text.lstrip().startswith("{"):
        import jwt  # noqa: PLC0415 - as above

        stated = json.loads(text)
        kind = " ".join(filter(None, (stated.get("kty"), stated.get("crv"))))
        algorithm = stated.get("alg") or _BY_KEY[kind]
        return jwt.PyJWK.from_dict(stated, algorithm).key, algorithm, stated.get("kid")
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    key = load_pem_private_key(text.encode(), password=None)
    return key, _BY_KEY[_kind(key)], None


def _kind(key: Any) -> str:
    name = type(key).__name__.removesuffix("PrivateKey").lstrip("_")
    if name == "EllipticCurve" or hasattr(key, "curve"):
        return f"EC {_CURVES[key.curve.name]}"
    return "RSA" if "RSA" in name.upper() else f"OKP {name}"
