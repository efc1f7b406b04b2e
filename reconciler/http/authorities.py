"""Says which authorities vouch for a server's certificate, and what is wrong with those that are named."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from reconciler.core.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PEM: Final = re.compile(rb"-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----")
# How OpenSSL finds a certificate in a folder: by the hash of its subject.
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_DER: Final = b"\x30\x82"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF_8_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """Where the trusted certificates are: `named_by` is what names the place, "" for the public ones."""

    named_by: str
    path: str

    @property
    def title(self) -> str:
        """The authorities in words, for a message."""
        if not self.named_by:
            return "the public authorities"
        return f"those of {self.named_by} ({self.path})"


def authorities_of(ca_bundle: str | None, environ: Mapping[str, str] = os.environ) -> Authorities:
    """The authorities of a target: its caBundle, else what OpenSSL's variables name, else the public ones."""
    if ca_bundle is not None:
        return Authorities(named_by="caBundle", path=ca_bundle)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if environ.get(name):
            return Authorities(named_by=name, path=environ[name])
    return Authorities(named_by="", path="")


@lru_cache
def trusting_context(authorities: Authorities) -> ssl.SSLContext:
    """The context that trusts these authorities and no others.

    All connections which trust the same share it: 60 ms each would be 6 s for a hundred targets.
    Raises RemoteError, which names what named them, and what is wrong with it.
    """
    path = authorities.path
    is_folder = authorities.named_by == "SSL_CERT_DIR"
    why = ""
    if authorities.named_by:
        why = _why_no_folder(path) if is_folder else _why_no_bundle(path)
    if not why:
        try:
            if not authorities.named_by:
                return httpx.create_ssl_context(trust_env=False)
            if is_folder:
                return ssl.create_default_context(capath=path)
            return ssl.create_default_context(cafile=path)
        except ssl.SSLError:
            why = "it holds a certificate that is broken or cut off"
        except OSError as error:
            # The file was read a moment ago: what is left is the one that Python opens for writing.
            raise RemoteError(
                "the environment variable SSLKEYLOGFILE names a file that cannot be written: "
                f"{error.strerror}"
            ) from None
    raise RemoteError(f"{authorities.named_by} {path} cannot be used: {why}")


def _why_no_bundle(path: str) -> str:
    """Why a file holds no certificates to trust, "" where it does."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        return f"{error.strerror}"
    except ValueError:
        return "no file can have such a name"
    return _why_no_certificates(content)


def _why_no_certificates(content: bytes) -> str:
    if content.startswith(_UTF_8_MARK):
        # OpenSSL takes the first line for prose then, and leaves out the first certificate.
        return "it begins with a byte order mark: save it without one"
    if _PEM.search(content):
        return ""
    if not content.strip():
        return "it is empty"
    what = ""
    if content.startswith(_DER):
        what = ", but most likely DER: `openssl x509 -inform der` makes PEM of it"
    if content.startswith(_UTF_16):
        what = ", but UTF-16 text: save it as ASCII"
    return f"it holds no PEM certificate{what}"


def _why_no_folder(path: str) -> str:
    """Why folders hold no certificates to trust, "" where they do: OpenSSL itself would not say."""
    names: list[str] = []
    unread = ""
    for folder in filter(None, path.split(os.pathsep)):
        try:
            names += [each.name for each in Path(folder).iterdir()]
        except OSError as error:
            unread = unread or f"{folder}: {error.strerror}"
    # One that is not there does no harm beside another that is.
    if any(map(_HASHED.fullmatch, names)):
        return ""
    if unread:
        return unread
    if names:
        return "no file in it is named by the hash of its certificate: `openssl rehash` does that"
    return "it is empty"
