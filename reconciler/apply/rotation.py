"""Gives a client a new secret on its server, and makes sure which one it has afterwards."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import (
    AccessRefused,
    Ambiguous,
    BadAnswer,
    NotFound,
    Rejected,
    RemoteError,
    Unauthorized,
    Unreachable,
)
from reconciler.core.model import Secret
from reconciler.core.secrets import secret_texts
from reconciler.http.live import read_client
from reconciler.plan.requests import path_for, rotation_request, secret_update_request
from reconciler.provider.model import ChosenSecret, IssuedSecret
from reconciler.provider.secrets import secret_anywhere_in, secret_at, secret_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.changes import Request
    from reconciler.core.model import LiveClient
    from reconciler.http.responses import Answer
    from reconciler.http.transport import Transport
    from reconciler.provider.model import Endpoint, Provider

# 512 bits, 86 characters of the URL-safe alphabet: a client that signs with its secret by HS512
# needs a key of that size (RFC 7518 section 3.2).
_BYTES: Final = 64


class Ignored(Rejected, BadAnswer):
    """The server answered as if it had changed the secret, and shows that it has not."""


class Unknown(Ambiguous, BadAnswer):
    """The server does not say which secret the client has now."""


# Nothing came of a request that was answered so, or that never left.
CERTAIN: Final = (Unreachable, Unauthorized, AccessRefused, Rejected, NotFound)


def rotate(
    provider: Provider,
    transport: Transport,
    live: LiveClient,
    *,
    key: str,
    save: Callable[[Secret], object] = lambda _chosen: None,
    before_try: Callable[[], None] | None = None,
) -> Secret:
    """Change the secret of `live`, which was just read. The secret that the server has from now on.

    One that is made here is given to `save` before it leaves. `before_try` is asked right before a
    request does, and may raise InventoryError. Raises an error of `CERTAIN` where the
    old one still holds. Where the answer does not say, or says otherwise, the client is read again:
    if it shows another secret than before, that is the new one. Raises Ambiguous and the other
    RemoteErrors where it does not. The vendor must have a way to change a secret.
    """
    how = provider.rotate
    if how is None:
        raise ValueError(f"{provider.title} has no way to change a secret")
    try:
        if isinstance(how, ChosenSecret):
            return _set_chosen(provider, how, transport, live, key, save, before_try)
        return _call(provider, how, transport, live, key, before_try)
    except CERTAIN:
        raise
    except RemoteError as error:
        return _read_new_secret(provider, transport, live, error)


def _set_chosen(
    provider: Provider,
    how: ChosenSecret,
    transport: Transport,
    live: LiveClient,
    key: str,
    save: Callable[[Secret], object],
    before_try: Callable[[], None] | None,
) -> Secret:
    chosen = Secret(secrets.token_urlsafe(_BYTES))
    request = secret_update_request(provider, how, live, chosen)
    save(chosen)
    answer = _send(transport, request, provider.update, live, key, before_try)
    # Done means that the server says so: one that still shows the old secret has not set another.
    old = secret_in(provider, live.body)
    if old is None or secret_anywhere_in(provider, answer.body) != old:
        return chosen
    raise BadAnswer(
        f"{transport.target}/{key}: {request.method} was answered with {answer.status} and the "
        "secret from before",
        status=answer.status,
    )


def _call(
    provider: Provider,
    how: IssuedSecret,
    transport: Transport,
    live: LiveClient,
    key: str,
    before_try: Callable[[], None] | None,
) -> Secret:
    request = rotation_request(provider, how.call)
    answer = _send(transport, request, how.call, live, key, before_try)
    found = (
        secret_at(answer.body, how.secret)
        if how.secret
        else secret_anywhere_in(provider, answer.body)
    )
    # An answer that shows the client as it was before is no proof of a new secret.
    if found is not None and found != secret_in(provider, live.body):
        return found
    raise BadAnswer(
        f"{transport.target}/{key}: {request.method} was answered with {answer.status} and no new "
        "secret",
        status=answer.status,
    )


def finish(
    provider: Provider,
    transport: Transport,
    live: LiveClient,
    *,
    key: str,
    before_try: Callable[[], None] | None = None,
) -> None:
    """Take the secret from before the last rotation away. Raises the RemoteErrors, and InventoryError.

    The vendor must keep it until it is asked not to. Sent twice, the call does no more than once.
    """
    how = provider.rotate
    if not isinstance(how, IssuedSecret) or how.finish is None:
        raise ValueError(f"{provider.title} keeps no old secret")
    request = rotation_request(provider, how.finish)
    _send(transport, request, how.finish, live, key, before_try)


def _send(
    transport: Transport,
    request: Request,
    endpoint: Endpoint,
    live: LiveClient,
    key: str,
    before_try: Callable[[], None] | None,
) -> Answer:
    """The answer to a request about the secret of `live`."""
    return transport.send(
        request.method,
        path_for(request, live.remote_id),
        body=request.body,
        content_type=request.content_type,
        expect=endpoint.expect,
        about=live.remote_id,
        subject=key,
        secrets=secret_texts(live.body),
        before_try=before_try,
    )


def _read_new_secret(
    provider: Provider, transport: Transport, live: LiveClient, error: RemoteError
) -> Secret:
    """The secret that the client shows, if it is not the one that it had."""
    # Read and not sent again: a second call would change the secret once more.
    try:
        now = secret_in(provider, read_client(provider, transport, live.remote_id).body)
    except RemoteError as unread:
        raise Ambiguous(
            f"{error}. Which secret the client has now could not be read: {unread}"
        ) from None
    if now is None:
        raise Unknown(f"{error}. The server does not show which secret the client has now")
    if now != secret_in(provider, live.body):
        return now
    if isinstance(error, BadAnswer):
        # It has answered, so that nothing is under way any more.
        raise Ignored(f"{error}, and the client still has its old one", status=error.status)
    raise error
