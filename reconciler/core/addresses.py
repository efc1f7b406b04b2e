"""Spells an address one way, so that two spellings of one server are known for the same."""

from __future__ import annotations

import posixpath
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, unquote, urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_UNRESERVED: Final = "/-._~!$&'()*+,;=:@"
_LOOPBACK: Final = "localhost"


def server_address(base_url: str, collection: str) -> str:
    """The origin and the path of the collection below `base_url`, the same for every spelling of it.

    By RFC 3986 section 6.2: case, default ports, percent-escapes, dots and slashes do not count,
    nor does a dot at the end of a host. All loopback hosts are one. An address that cannot be
    parsed is given back as it is.
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return base_url
    scheme = parts.scheme.lower()
    path = posixpath.normpath("/" + quote(unquote(parts.path + "/" + collection), _UNRESERVED))
    shown = _host(host)
    if port is not None and port != _PORTS.get(scheme):
        shown = f"{shown}:{port}"
    # normpath keeps two slashes at the beginning, as POSIX has it.
    return f"{scheme}://{shown}/{path.lstrip('/')}".rstrip("/")


def open_http_host(url: str) -> str:
    """The host of an address that is reached over a network by plain HTTP, "" for any other address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return host if parts.scheme == "http" and _host(host) != _LOOPBACK else ""


def _host(host: str) -> str:
    host = host.rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        return _LOOPBACK if host == _LOOPBACK else ascii_host(host)
    if address.is_loopback:
        return _LOOPBACK
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - IPv6


def ascii_host(host: str) -> str:
    """The host as DNS knows it (RFC 5891), lower case."""
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        return host.lower()
