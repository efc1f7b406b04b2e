"""Reads the proxy variables of the environment, and says which proxy an address is reached through.

The variables, their precedence and NO_PROXY are curl's (https://curl.se/docs/manpage.html, "PROXY
environment variables" and CURLOPT_NOPROXY), since no RFC has them. Values are as people write them:
a scheme may be missing, and a password may hold characters that ought to be percent-encoded.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from reconciler.core.addresses import ascii_host
from reconciler.core.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_SOCKS_4: Final = frozenset({"socks", "socks4", "socks4a"})
# A proxy's "this machine" is another machine, so that these are never asked for through one. The
# rest of 127.0.0.0/8 is, for whoever wants to look at the traffic of a sandbox.
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SCHEME_WITHOUT_SLASHES: Final = re.compile(r"(https?|socks\w*):/", re.IGNORECASE)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://+")
_AUTHORITY: Final = re.compile(
    r"(?:\[(?P<v6>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?", re.DOTALL
)
_NAME: Final = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})*\.?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_LARGEST_PORT: Final = 65535
# RFC 1929 section 2 counts them in one byte.
_LONGEST_SOCKS_LOGIN: Final = 255
# curl takes commas and blanks; the others are what Windows and Java separate with.
_SEPARATORS: Final = re.compile(r"[\s,;|]+")
_BRACKETED: Final = re.compile(r"\[(?P<address>[^\]]*)\](?P<mask>/[0-9]+)?(?::(?P<port>[0-9]+))?/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy, and the `variable` that names it; `host` has no brackets.

    `title` is the proxy in words for a message, without its user and its password.
    """

    variable: str
    scheme: str
    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        """The proxy in words, for a message."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"the proxy {self.scheme}://{host}:{self.port} ({self.variable})"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS 5 (RFC 1928) and not HTTP."""
        return self.scheme.startswith("socks")


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> Proxy | None:
    """The proxy that the environment names for an address, None where it is reached directly.

    Raises RemoteError, which names the variable and quotes nothing of it, for a value that names
    no proxy. An address that is exempt needs no variable that can be read.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    variable = _first_set(_names_for(parts.scheme, environ), environ)
    if variable is None or host in _THIS_MACHINE:
        return None
    exempt = _first_set(("no_proxy", "NO_PROXY"), environ)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    if exempt is not None and is_exempt(parts.scheme, host, port, environ[exempt]):
        return None
    return parse(variable, environ[variable])


def _names_for(scheme: str, environ: Mapping[str, str]) -> list[str]:
    names = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    # A CGI program gets the request's header `Proxy` as HTTP_PROXY: whoever asks would choose where
    # its requests go (https://httpoxy.org).
    if "REQUEST_METHOD" in environ:
        names = [name for name in names if name != "HTTP_PROXY"]
    return names


def _first_set(names: list[str] | tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    return next((name for name in names if _plain(environ.get(name, ""))), None)


def _plain(value: str) -> str:
    """The value without the blanks and the quotes around it that env files leave there."""
    value = value.strip()
    for quote in "\"'":
        if len(value) > 1 and value[0] == value[-1] == quote:
            value = value[1:-1].strip()
    return value


def parse(variable: str, value: str) -> Proxy:
    """The proxy that the value of `variable` names; RemoteError, without the value, where it is none."""
    scheme, rest = _split_scheme(variable, _plain(value))
    # The last @: a password may hold one, and `/`, `?` and `#` too, and a host none of them.
    login, _, authority = rest.rpartition("@")
    host, port = _host_and_port(variable, re.split(r"[/?#]", authority, maxsplit=1)[0])
    user, _, password = (_decoded(variable, part) for part in login.partition(":"))
    longest = max(len(user.encode()), len(password.encode()))
    if scheme.startswith("socks") and longest > _LONGEST_SOCKS_LOGIN:
        raise _unusable(variable, "its user or its password is longer than SOCKS can carry")
    return Proxy(
        variable=variable,
        scheme=scheme,
        host=host,
        port=port or _PORTS[scheme],
        user=user,
        password=password,
    )


def _split_scheme(variable: str, value: str) -> tuple[str, str]:
    found = _SCHEME.match(value)
    if found is None and _SCHEME_WITHOUT_SLASHES.match(value):
        raise _unusable(variable, "two slashes are missing after its scheme")
    if found is None:
        return "http", value.removeprefix("//")
    scheme = found[1].lower()
    if scheme in _SOCKS_4:
        raise _unusable(
            variable, "SOCKS 4 is not spoken here. If the proxy speaks SOCKS 5, say socks5h://"
        )
    if scheme not in _PORTS:
        raise _unusable(variable, "its scheme is none of http, https, socks5 and socks5h")
    return scheme, value[found.end() :]


def _host_and_port(variable: str, authority: str) -> tuple[str, int | None]:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        hint = " (an IPv6 address goes in brackets)" if authority.count(":") > 1 else ""
        raise _unusable(variable, f"host and port cannot be told apart{hint}")
    host = _name(variable, found["name"]) if found["v6"] is None else _v6(variable, found["v6"])
    return host, _port(variable, found["port"])


def _name(variable: str, name: str) -> str:
    host = ascii_host(name)
    # A number is an address in disguise, and more likely a port or a yes.
    if not _NAME.fullmatch(host) or not host.isascii() or host.isdigit():
        raise _unusable(variable, "it names no host")
    return host


def _v6(variable: str, text: str) -> str:
    address = _address(unquote(text))
    if not isinstance(address, IPv6Address):
        raise _unusable(variable, "what stands in brackets is no IPv6 address")
    return str(address)


def _port(variable: str, text: str | None) -> int | None:
    if not text:
        return None
    if not _PORT.fullmatch(text) or not 0 < int(text) <= _LARGEST_PORT:
        raise _unusable(variable, f"its port is no number from 1 to {_LARGEST_PORT}")
    return int(text)


def _decoded(variable: str, text: str) -> str:
    """The user or the password, percent-decoded; a % that begins no escape stands for itself."""
    try:
        decoded = unquote(text, errors="strict")
        decoded.encode()
    except UnicodeError:
        problem = "its user or its password is no UTF-8"
    else:
        return decoded
    raise _unusable(variable, problem)


def _unusable(variable: str, why: str) -> RemoteError:
    # Nothing of the value: what is wrong with it may be that a part of the password is elsewhere.
    return RemoteError(
        f"the environment variable {variable} names no proxy that can be used: {why}. Write "
        "http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, or name the server in NO_PROXY"
    )


def is_exempt(scheme: str, host: str, port: int, value: str) -> bool:
    """Whether a value of NO_PROXY exempts an address. What cannot be read in it exempts nothing."""
    name = ascii_host(host).rstrip(".")
    entries = (entry.strip("\"'") for entry in _SEPARATORS.split(value))
    return any(_covers(entry, scheme, name, port) for entry in entries if entry)


def _covers(entry: str, scheme: str, host: str, port: int) -> bool:
    stated, marker, rest = entry.rpartition("://")
    if marker and stated.lower() not in {"all", scheme}:
        return False
    name, wanted = _split_entry(rest)
    if wanted not in {"", str(port)}:
        return False
    address = _address(host)
    return _is_name(name, host) if address is None else _is_in(name, address)


def _split_entry(entry: str) -> tuple[str, str]:
    """What an entry names, brackets and port taken off, and its port, "" for none."""
    bracketed = _BRACKETED.fullmatch(entry)
    if bracketed:
        return bracketed["address"] + (bracketed["mask"] or ""), bracketed["port"] or ""
    # Several colons are an IPv6 address without brackets, and no port.
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port.partition("/")[0]
    return entry, ""


def _is_name(name: str, host: str) -> bool:
    name = ascii_host(name.partition("/")[0])
    if name == "*":
        return True
    # A domain stands for itself and for all below it, with a dot before it, with `*.`, or without.
    name = name.removeprefix("*").strip(".")
    if "*" in name:
        return fnmatchcase(host, name)
    return bool(name) and f".{host}".endswith(f".{name}")


def _is_in(name: str, address: IPv4Address | IPv6Address) -> bool:
    if "*" in name:
        return fnmatchcase(str(address), name)
    name = name.removesuffix("/")
    if _address(name) is not None:
        return _address(name) == address
    try:
        return address in ip_network(name, strict=False)
    except ValueError:
        return False


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # ::ffff:10.0.0.1 is 10.0.0.1 (RFC 4291 section 2.5.5.2).
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
