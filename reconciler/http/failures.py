"""Turns what httpx raises into the Reply that says how far a request got, and whose fault it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import httpx

from reconciler.core.errors import Unreachable
from reconciler.http.auth import is_token_request
from reconciler.http.authorities import authorities_of
from reconciler.http.responses import Reply, SendState
from reconciler.http.routes import ProxyFailed
from reconciler.http.wire.answer import TooLarge
from reconciler.provider.errors import clean

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.http.connection import Connection

# No byte of the request has left. A write timeout is not among them: part of it may have arrived.
_NOT_SENT_ERRORS: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
_BAD_CERTIFICATE: Final = "CERTIFICATE_VERIFY_FAILED"
# What OpenSSL says of a certificate whose authority nobody named; of others it says what is wrong.
_UNKNOWN_AUTHORITY: Final = ("self-signed", "self signed", "local issuer", "issuer certificate")


def failure_reply(
    error: httpx.RequestError,
    connection: Connection,
    secrets: Collection[str] = (),
    given_up_after: float | None = None,
) -> Reply:
    """The reply to a try that ended with an error of httpx; `secrets` are masked in what that says.

    `given_up_after` are the seconds that the whole exchange may take, where they are over: a server
    that needed all of them is not asked again.
    """
    within = given_up_after or connection.read_timeout
    reply = _reply(error, connection, secrets, within)
    if given_up_after is None:
        return reply
    if reply.state is SendState.NEVER_SENT:
        return _final_reply(reply.cause, connection)
    return replace(reply, state=SendState.UNREADABLE) if reply.error is None else reply


def _reply(
    error: httpx.RequestError, connection: Connection, secrets: Collection[str], within: float
) -> Reply:
    request = error.request
    is_token = is_token_request(request)
    where = "the token server" if is_token else "the server"
    via = f" through {request.extensions['via']}" if "via" in request.extensions else ""
    if isinstance(error, ProxyFailed):
        return _proxy_reply(error, connection)
    if isinstance(error, _NOT_SENT_ERRORS):
        reason = clean(str(error), secrets) or type(error).__name__
        return _not_sent_reply(f"{where} {request.url.host}", via, reason, connection)
    if isinstance(error, TooLarge | httpx.DecodingError):
        state = SendState.UNREADABLE
        what = str(error) if isinstance(error, TooLarge) else "broken compression"
        cause = f"{where} sent an answer that cannot be read: {what}"
    else:
        slow = isinstance(error, httpx.TimeoutException)
        cause = f"{where} gave no whole answer{f' within {within:g} s' if slow else ''}{via}"
        state = SendState.UNKNOWN
    if not is_token:
        return Reply(state=state, cause=cause)
    # Without a token the request itself never left.
    if state is SendState.UNREADABLE:
        return _final_reply(cause, connection)
    return Reply(state=SendState.NEVER_SENT, cause=cause)


def _proxy_reply(failed: ProxyFailed, connection: Connection) -> Reply:
    cause = str(failed)
    if _BAD_CERTIFICATE in cause:
        cause += _certificate_hint(cause, connection)
    if failed.is_final:
        return _final_reply(cause, connection)
    return Reply(state=SendState.NEVER_SENT, cause=cause)


def _not_sent_reply(where: str, via: str, reason: str, connection: Connection) -> Reply:
    cause = f"{where} cannot be reached{via}: {reason}"
    if _BAD_CERTIFICATE not in cause:
        return Reply(state=SendState.NEVER_SENT, cause=cause)
    cause += _certificate_hint(cause, connection)
    if via:
        cause += ". A proxy that opens encrypted connections signs with an authority of its own"
    return _final_reply(cause, connection)


def _final_reply(cause: str, connection: Connection) -> Reply:
    # Not tried again: a certificate or a password does not become good by waiting.
    return Reply(state=SendState.ANSWERED, error=Unreachable(f"{connection.target}: {cause}"))


def _certificate_hint(cause: str, connection: Connection) -> str:
    trusted = authorities_of(connection.ca_bundle)
    if not any(word in cause for word in _UNKNOWN_AUTHORITY):
        return ""
    where = "in that file" if trusted.named_by == "caBundle" else "as caBundle"
    if trusted.named_by.startswith("SSL_CERT"):
        where = f"there, or {where}"
    return f". Trusted are {trusted.title}: give the authority that signed it {where}"
