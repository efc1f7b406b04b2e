"""Finds what is wrong with the host and the port of an address of the web."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from reconciler.validation.uris.characters import mixed_script_faults, script
from reconciler.validation.uris.fault import code_point, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.validation.uris.fault import Fault

_LONGEST_HOST: Final = 253  # RFC 1035, section 2.3.4
_LONGEST_LABEL: Final = 63
_LAST_PORT: Final = 65535
# Small Cyrillic letters that look like Latin ones in every usual font.
_LATIN_LOOK: Final = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d\u04cf"
)


def authority_faults(authority: str) -> Iterator[Fault]:
    """The faults of what stands between `//` and the path of http and https (RFC 3986, section 3.2)."""
    user, host, port = split_authority(authority)
    if user is not None:
        yield from _user_faults(user)
    if not host:
        yield error("it has no host")
    elif host.startswith("["):
        yield from _ipv6_faults(host)
    else:
        yield from _host_faults(host)
    if port is not None:
        yield from _port_faults(port)


def host_errors(authority: str) -> Iterator[Fault]:
    """What is wrong with the host of an authority that urllib can parse, so that no DNS has it."""
    host = split_authority(authority)[1]
    if not host.startswith("["):
        yield from (fault for fault in _host_faults(host) if fault.severity == "error")


def split_authority(authority: str) -> tuple[str | None, str, str | None]:
    """The user, the host and the port of an authority, None for a user or a port that is not stated."""
    user, at, rest = authority.rpartition("@")
    closed = rest.find("]") + 1 if rest.startswith("[") else 0
    host, colon, port = rest[closed:].partition(":")
    return user if at else None, rest[:closed] + host, port if colon else None


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine (RFC 6761, section 6.3 for names below localhost)."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _user_faults(user: str) -> Iterator[Fault]:
    if ":" in user:
        yield error("a user and a password stand before its host", "take them out, up to the `@`")
    else:
        yield error(
            "what stands before an `@` is a user and not the host",
            "take it out, or write `/` in place of the `@` if a path was meant",
        )


def _ipv6_faults(host: str) -> Iterator[Fault]:
    try:
        ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        yield error("what stands in the brackets is no IPv6 address")


def _host_faults(host: str) -> Iterator[Fault]:
    if "*" in host:
        yield warning(
            "a wildcard stands in its host: whoever has a name there gets the codes",
            "write one address for each host",
        )
        host = host.replace("*", "x")
    if len(host) > _LONGEST_HOST:
        yield error(f"its host has {len(host)} characters, and {_LONGEST_HOST} are the most")
    labels = host.removesuffix(".").split(".")
    if "%" in host:
        yield error("its host is percent-encoded", "write the host as it is called")
    if "" in labels:
        yield error("its host has a dot too many")
    for label in labels:
        yield from _label_faults(label, labels[-1])
    if labels[-1].isdecimal() and labels[-1].isascii():
        yield from _ipv4_faults(host)
    if host.endswith("."):
        yield warning("its host ends with a dot, which servers compare as another host")


def _label_faults(label: str, last: str) -> Iterator[Fault]:
    if len(label) > _LONGEST_LABEL:
        yield error(
            f"a part of its host has {len(label)} characters, and {_LONGEST_LABEL} are the most"
        )
    if label.startswith("-") or label.endswith("-"):
        yield error("a part of its host begins or ends with `-`")
    if label.lower().startswith("xn--"):
        try:
            label = label[len("xn--") :].encode().decode("punycode")
        except ValueError:
            yield error("a part of its host begins with xn-- and is no Punycode (RFC 3492)")
    if label.isascii():
        yield from _ascii_faults(label)
    else:
        yield from _international_faults(label, last)


def _ascii_faults(label: str) -> Iterator[Fault]:
    odd = re.search(r"[^A-Za-z0-9_-]", label)
    if odd:
        yield error(f"`{odd.group()}` stands in its host, and no host has one")


def _international_faults(label: str, last: str) -> Iterator[Fault]:
    for character in label:
        plain = unicodedata.normalize("NFKC", character)
        if plain.isascii() and plain != character:
            yield error(
                f"its host holds {code_point(character)}, which only looks like `{plain}`",
                f"write `{plain}`",
            )
        if unicodedata.category(character) == "So":
            yield warning(f"its host holds {code_point(character)}, which few servers take")
        elif not (character in "-_" or unicodedata.category(character)[0] in "LMN"):
            yield error(f"its host holds {code_point(character)}, which no host has")
    yield from mixed_script_faults(label)
    letters = [letter for letter in label.lower() if letter.isalpha()]
    if last.isascii() and letters and all(letter in _LATIN_LOOK for letter in letters):
        yield warning(
            f"a part of its host is written in {script(letters[0]).capitalize()} letters that look "
            "like Latin ones",
            "write it in Latin letters, or as xn-- if it is meant",
        )


def _ipv4_faults(host: str) -> Iterator[Fault]:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        yield error("its host ends with a number and is no IPv4 address")


def _port_faults(port: str) -> Iterator[Fault]:
    if port == "*":
        yield warning("a wildcard stands in place of its port", "write the port")
    elif not port:
        yield warning("a `:` stands after its host, and no port", "take out the `:`")
    elif not (port.isascii() and port.isdecimal()):
        yield error("its port is no number", "an IPv6 address stands in brackets: [::1]")
    elif not 0 < int(port[-6:]) <= _LAST_PORT or len(port.lstrip("0")) > len(str(_LAST_PORT)):
        yield error(f"its port is not between 1 and {_LAST_PORT}")
