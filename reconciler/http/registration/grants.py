"""Keeps what each client of a server is read and changed by: its own address and its own token (RFC 7592)."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.model import Json, JsonObject, Secret
from reconciler.core.pointer import resolve
from reconciler.provider.identity import id_in
from reconciler.provider.repeats import seal_repeats
from reconciler.provider.spelling import first_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.provider.model import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The registration access token of one client and, where the server tells it, its configuration endpoint.

    `uri` is absolute, "" where the descriptor's own path is meant (RFC 7592 section 3).
    """

    token: Secret
    uri: str = ""

    def to_text(self) -> Secret:
        """What a sink keeps: JSON with the two members as RFC 7592 names them."""
        told = {"registration_access_token": self.token.value, "registration_client_uri": self.uri}
        return Secret(json.dumps(told, ensure_ascii=False))

    @classmethod
    def from_text(cls, text: Secret) -> Grant | None:
        """What a sink kept; None for what is none."""
        try:
            told = json.loads(str(text.value))
            token, uri = told["registration_access_token"], told["registration_client_uri"]
        except (ValueError, KeyError, TypeError):
            return None
        return cls(token=Secret(str(token)), uri=str(uri))


class Grants:
    """The grants of one target's clients. Threads may share it.

    `load` gives what is kept of a client, by its remote id, None for nothing. `save` keeps what a
    server has just told, by the client's key, "" where the caller knows none, and its remote id;
    what it raises ends the call that asked for it.
    """

    def __init__(
        self,
        provider: Provider,
        load: Callable[[str], Secret | None],
        save: Callable[[str, str, Secret], None],
    ) -> None:
        self._provider = provider
        self._load = load
        self._save = save
        self._lock = threading.Lock()
        self._known: dict[str, Grant | None] = {}

    def find(self, remote_id: str) -> Grant | None:
        """What is known of a client; None for nothing. Raises SinkError."""
        with self._lock:
            if remote_id in self._known:
                return self._known[remote_id]
        kept = self._load(remote_id)
        grant = None if kept is None else Grant.from_text(kept)
        with self._lock:
            # An answer may have told another meanwhile.
            return self._known.setdefault(remote_id, grant)

    def put(self, remote_id: str, grant: Grant) -> None:
        """Go on with a grant that somebody stated; nothing is kept."""
        with self._lock:
            self._known[remote_id] = grant

    def keep(self, key: str, remote_id: str) -> None:
        """Keep what is known of a client under its key. Raises SinkError and InventoryError."""
        grant = self.find(remote_id)
        if grant is not None:
            self._save(key, remote_id, grant.to_text())

    def take(self, key: str, about: str, body: Json) -> Json:
        """`body`, an answer, without the grant that it tells, which is kept before this returns.

        `about` is the remote id of the client that was asked for, "" for none. What repeats the
        token elsewhere in the answer is sealed.
        """
        words = self._provider.registration
        if words is None or not isinstance(body, dict):
            return body
        token, uri = resolve(body, words.token), resolve(body, words.uri)
        remote_id = id_in(self._provider, body) or about
        if remote_id and isinstance(token, str) and token:
            self._renew(key, remote_id, Grant(token=Secret(token), uri=_text(uri)))
        told = {first_name(words.token), first_name(words.uri)}
        left: JsonObject = {name: value for name, value in body.items() if name not in told}
        texts = (token,) if isinstance(token, str) else ()
        return seal_repeats(self._provider, left, texts)

    def _renew(self, key: str, remote_id: str, grant: Grant) -> None:
        with self._lock:
            before = self._known.get(remote_id)
            # A server need not tell the address again.
            renewed = (
                grant if grant.uri or before is None else Grant(token=grant.token, uri=before.uri)
            )
            self._known[remote_id] = renewed
        if renewed != before:
            self._save(key, remote_id, renewed.to_text())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
