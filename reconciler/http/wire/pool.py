"""Makes the transports that httpx sends through: direct or through a proxy, over a limited network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from reconciler.http.wire.network import LimitedNetwork

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from reconciler.http.proxies import Proxy
    from reconciler.http.wire.deadline import Deadline


class LimitedTransport(httpx.HTTPTransport):
    """httpx's own transport, over connections that keep to a deadline."""

    def __init__(
        self,
        deadline: Deadline,
        *,
        verify: ssl.SSLContext,
        limits: httpx.Limits,
        proxy: Proxy | None = None,
    ) -> None:
        # Not the initialiser of httpx, which makes the same pools and lets no network be given.
        sizes: dict[str, Any] = {
            "max_connections": limits.max_connections,
            "max_keepalive_connections": limits.max_keepalive_connections,
            "keepalive_expiry": limits.keepalive_expiry,
            "network_backend": LimitedNetwork(deadline),
        }
        self._pool = (
            httpcore.ConnectionPool(ssl_context=verify, **sizes)
            if proxy is None
            else _proxy_pool(proxy, verify, sizes)
        )


def _proxy_pool(
    proxy: Proxy, verify: ssl.SSLContext, sizes: Mapping[str, Any]
) -> httpcore.HTTPProxy | httpcore.SOCKSProxy:
    # By way of httpx, which writes a name with other letters as DNS knows it (RFC 5890).
    url = httpx.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port)
    address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/")
    login = (proxy.user.encode(), proxy.password.encode())
    auth = login if any(login) else None
    if proxy.is_socks:
        return httpcore.SOCKSProxy(address, auth, ssl_context=verify, **sizes)
    own = verify if proxy.scheme == "https" else None
    return httpcore.HTTPProxy(address, auth, ssl_context=verify, proxy_ssl_context=own, **sizes)
