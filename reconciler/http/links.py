"""Reads the addresses that answers name: in the Link header (RFC 8288), in Location, in a body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

# A link-value: the address in angle brackets, then parameters up to the comma that begins the next.
_LINK: Final = re.compile(r'<([^>]*)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)')
_PARAMETER: Final = re.compile(r';\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))')


def next_link(header: str) -> str | None:
    """The address of the link whose relation is `next`, None where a header names none.

    Several headers are one with commas between (RFC 9110 section 5.3). Only the first `rel` of a
    link counts (RFC 8288 section 3.3); its words are compared without regard to case.
    """
    for address, parameters in _LINK.findall(header):
        relations = (
            quoted or plain
            for name, quoted, plain in _PARAMETER.findall(parameters)
            if name.lower() == "rel"
        )
        if "next" in next(relations, "").lower().split():
            return str(address)
    return None


@dataclass(frozen=True, slots=True)
class Place:
    """An address on the target's own server: its path, relative to the base URL, and its query."""

    path: str
    query: Mapping[str, str]


def place_of(base_url: str, path: str, address: str) -> Place | None:
    """Where an `address` leads that was in the answer for `path`; None where it leaves the base URL.

    It may be relative (RFC 3986 section 5). To another server nothing is ever sent.
    """
    base, parts = urlsplit(base_url.rstrip("/")), _here(base_url, path, address)
    if parts is None or not (parts.path + "/").startswith(f"{base.path}/"):
        return None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Place(parts.path.removeprefix(base.path), query)


def last_segment(base_url: str, path: str, location: str) -> str:
    """The last segment of a Location in the answer for `path`, decoded; "" where that is another server's.

    A gateway may have put the base URL before the path that the server names.
    """
    parts = _here(base_url, path, location)
    return "" if parts is None else unquote(parts.path.rstrip("/").rpartition("/")[2])


def _here(base_url: str, path: str, address: str) -> SplitResult | None:
    """An address in the answer for `path`, made absolute; None where it is of another server."""
    try:
        parts = urlsplit(urljoin(f"{base_url.rstrip('/')}{path}", address.strip()))
    except ValueError:
        return None
    return parts if _origin(parts) == _origin(urlsplit(base_url)) else None


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses are of one server (RFC 6454 section 5)."""
    return _origin(urlsplit(one)) == _origin(urlsplit(other))


def _origin(parts: SplitResult) -> tuple[str, str]:
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return parts.scheme, parts.netloc.lower().removesuffix(default)
