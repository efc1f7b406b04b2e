"""Leads each address of a target through its proxy, and tells a proxy's failures from the server's."""

from __future__ import annotations

from base64 import b64encode
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import httpx

from reconciler.core.errors import RemoteError
from reconciler.core.masking.needles import SHORTEST_MASKED
from reconciler.http.proxies import Proxy, proxy_for
from reconciler.http.wire.pool import LimitedTransport
from reconciler.provider.errors import clean

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from reconciler.http.wire.deadline import Deadline

# The last step that a proxy has a part in, by what httpcore calls it: the first is a tunnel's, the
# others a request's that the proxy passes on itself.
_TUNNELLED: Final = frozenset({"proxy.start_tls.started", "socks.start_tls.started"})
_PASSED_ON: Final = {
    "http": "connection.connect_tcp.complete",
    "https": "connection.start_tls.complete",
    "socks5": "socks.setup_socks5_connection.complete",
    "socks5h": "socks.setup_socks5_connection.complete",
}
_CONNECTING: Final = frozenset({"connection.connect_tcp.started", "socks.connect_tcp.started"})
_AUTHENTICATION_REQUIRED: Final = 407
_NOT_REACHED: Final = frozenset({502, 503, 504})
_EXTRA: Final = "pip install 'oauth-client-reconciler[socks]'"


class ProxyFailed(httpx.ProxyError):
    """A proxy did not do its part, so that the request never left. `is_final`: it would not help to ask again."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


def proxies_of(addresses: Iterable[str], environ: Mapping[str, str]) -> dict[str, Proxy | None]:
    """The proxy of each address, None for a direct one; RemoteError for one that cannot be used."""
    found = {address: proxy_for(address, environ) for address in addresses}
    for proxy in found.values():
        if proxy is not None and proxy.is_socks and find_spec("socksio") is None:
            raise RemoteError(
                f"the environment variable {proxy.variable} names a SOCKS proxy, which needs the "
                f"extra `socks`: {_EXTRA}"
            )
    return found


def mounts_of(
    proxies: Mapping[str, Proxy | None],
    deadline: Deadline,
    *,
    verify: ssl.SSLContext,
    limits: httpx.Limits,
) -> dict[str, httpx.BaseTransport | None]:
    """What httpx sends the requests to each address through, None for its own transport.

    A proxy that speaks TLS is verified by the same authorities as the servers are.
    """
    mounts: dict[str, httpx.BaseTransport | None] = {}
    for address, proxy in proxies.items():
        url = httpx.URL(address)
        origin = str(url.copy_with(raw_path=b"/")).rstrip("/")
        mounts[origin] = (
            None if proxy is None else ThroughProxy(proxy, deadline, verify=verify, limits=limits)
        )
    return mounts


class ThroughProxy(httpx.BaseTransport):
    """The connections that lead through one proxy. Whatever fails at the proxy is a ProxyFailed."""

    def __init__(
        self, proxy: Proxy, deadline: Deadline, *, verify: ssl.SSLContext, limits: httpx.Limits
    ) -> None:
        self._proxy = proxy
        self._inner = LimitedTransport(deadline, verify=verify, limits=limits, proxy=proxy)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; ProxyFailed where it got no further than the proxy."""
        steps: list[str] = []
        request.extensions["trace"] = lambda step, _facts: steps.append(step)
        request.extensions["via"] = self._proxy.title
        try:
            response = self._inner.handle_request(request)
        except httpx.PoolTimeout:
            raise
        except Exception as error:
            # Any: the library behind SOCKS raises errors of its own for what is no SOCKS.
            failed = self._failure(error, request, steps)
            if failed is None:
                raise
        else:
            return self._checked(request, response)
        # Outside of the handler, so that no traceback leads back to the proxy's login.
        raise failed

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _failure(
        self, error: Exception, request: httpx.Request, steps: list[str]
    ) -> ProxyFailed | None:
        """The failure where it is the proxy's, None where the proxy had done its part."""
        if isinstance(error, httpx.ProxyError):
            return self._refusal(self._clean(error), request)
        if not _CONNECTING.intersection(steps) or self._did_its_part(request, steps):
            return None
        reason = self._clean(error) if isinstance(error, httpx.TransportError) else ""
        title = self._proxy.title
        if isinstance(error, httpx.ConnectError):
            bad = "CERTIFICATE_VERIFY_FAILED" in reason
            return ProxyFailed(f"{title} cannot be reached: {reason}", is_final=bad)
        if isinstance(error, httpx.TimeoutException):
            return ProxyFailed(f"{title} gave no answer in time")
        return ProxyFailed(
            f"{title} does not speak {self._proxy.scheme}: {reason or type(error).__name__}"
        )

    def _clean(self, error: Exception) -> str:
        """The text of an error, in which a proxy may have repeated its login."""
        user, password = self._proxy.user, self._proxy.password
        login = b64encode(f"{user}:{password}".encode()).decode()
        # A short name of a user is no secret, and may be a part of any word.
        names = (user,) if len(user) >= SHORTEST_MASKED else ()
        return clean(str(error), (login, password, *names))

    def _did_its_part(self, request: httpx.Request, steps: list[str]) -> bool:
        if request.url.scheme == "https":
            return bool(_TUNNELLED.intersection(steps))
        return _PASSED_ON[self._proxy.scheme] in steps

    def _refusal(self, answer: str, request: httpx.Request) -> ProxyFailed:
        """The proxy's own answer to a CONNECT (RFC 9110 section 9.3.6), or of SOCKS, in words."""
        status = int(answer[:3]) if answer[:3].isascii() and answer[:3].isdigit() else 0
        if status == _AUTHENTICATION_REQUIRED:
            return self._login_refused()
        host = request.url.host
        final = bool(status) and status not in _NOT_REACHED
        return ProxyFailed(
            f"{self._proxy.title} did not open a connection to {host}: {answer.rstrip('.')}. "
            f"If {host} is reached directly, name it in NO_PROXY",
            is_final=final,
        )

    def _login_refused(self) -> ProxyFailed:
        proxy = self._proxy
        what = "refused the user and password that are in the variable"
        if not proxy.user and not proxy.password:
            what = "asks for a user and a password, and the variable holds none"
        return ProxyFailed(f"{proxy.title} {what} (407)", is_final=True)

    def _checked(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """The response, unless it is the proxy's own; one that may be is marked as such."""
        if request.url.scheme == "https" or self._proxy.is_socks:
            return response
        if response.status_code == _AUTHENTICATION_REQUIRED:
            response.close()
            raise self._login_refused()
        if response.status_code in _NOT_REACHED:
            response.extensions["via"] = self._proxy.title
        return response
