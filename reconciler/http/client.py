"""Makes the httpx client of a target out of its connection and the environment."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from reconciler.core.errors import RemoteError
from reconciler.http.auth import USER_AGENT, timeout_of
from reconciler.http.authorities import authorities_of, trusting_context
from reconciler.http.routes import mounts_of, proxies_of
from reconciler.http.wire.pool import LimitedTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from reconciler.http.connection import Connection
    from reconciler.http.proxies import Proxy
    from reconciler.http.wire.deadline import Deadline

# In seconds. Servers close an idle connection after 5 seconds or more: a POST must not be the one
# to find out, since it could not be sent again.
_KEEPALIVE: Final = 4.0


def make_client(
    connection: Connection,
    http_transport: httpx.BaseTransport | None,
    deadline: Deadline,
    on_request: Callable[[httpx.Request], None],
    on_response: Callable[[httpx.Response], None],
) -> httpx.Client:
    """The httpx client of a target: whom it trusts, what it goes through, and how long that may take.

    Raises RemoteError.
    `http_transport` stands in for the whole network, proxies included.
    """
    addresses = [url for url in (connection.base_url, connection.token_url) if url]
    proxies = {} if http_transport is not None else _proxies(connection, addresses)
    schemes = {urlsplit(url).scheme for url in addresses}
    schemes |= {proxy.scheme for proxy in proxies.values() if proxy is not None}
    verify = _ssl_context(connection, encrypted="https" in schemes)
    limits = httpx.Limits(
        max_connections=connection.workers,
        max_keepalive_connections=connection.workers,
        keepalive_expiry=_KEEPALIVE,
    )
    return httpx.Client(
        transport=http_transport or LimitedTransport(deadline, verify=verify, limits=limits),
        mounts=mounts_of(proxies, deadline, verify=verify, limits=limits),
        timeout=timeout_of(connection),
        # The variables are read by `proxies` and `authorities`, which say what is wrong with them.
        trust_env=False,
        headers={"accept": "application/json", "user-agent": USER_AGENT},
        event_hooks={"request": [on_request], "response": [on_response]},
    )


def _proxies(connection: Connection, addresses: Collection[str]) -> dict[str, Proxy | None]:
    try:
        proxies = proxies_of(addresses, os.environ)
    except RemoteError as error:
        problem = str(error)
    else:
        for address, proxy in proxies.items():
            if proxy is not None:
                connection.log(f"{urlsplit(address).hostname} is reached through {proxy.title}")
        return proxies
    # Outside of the handler, so that no traceback leads back to the value.
    raise RemoteError(f"{connection.target}: {problem}")


def _ssl_context(connection: Connection, *, encrypted: bool) -> ssl.SSLContext:
    if not encrypted:
        # It trusts no one. Loading the authorities takes 60 ms that plain HTTP has no use for.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return trusting_context(authorities_of(connection.ca_bundle))
    except RemoteError as error:
        raise RemoteError(f"{connection.target}: {error}") from None
