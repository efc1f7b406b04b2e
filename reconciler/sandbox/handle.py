"""Gives tests and the demo access to a running sandbox: addresses, credentials, requests, clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from reconciler.sandbox.boruta import rows as boruta_rows
from reconciler.sandbox.provident import api as provident
from reconciler.sandbox.sailpoint import api as sailpoint
from reconciler.sandbox.tokens import ISSUERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.sandbox.state import Row
    from reconciler.sandbox.tokens import Credential
    from reconciler.sandbox.world import RecordedRequest, World


class _Vendor(Protocol):
    """The functions that make and change a vendor's stored clients."""

    def new_row(self, world: World, fields: Mapping[str, Any]) -> Row: ...
    def edited_row(self, world: World, row: Row, fields: Mapping[str, Any]) -> Row: ...


_SECRET_FIELDS = ("secret", "clientSecret")
_VENDORS: dict[str, _Vendor] = {
    "provident": provident,
    "sailpoint": sailpoint,
    "boruta": boruta_rows,
}


class Sandbox:
    """A sandbox that listens on `port`; vendors are named `provident`, `sailpoint` and `boruta`."""

    def __init__(self, world: World, port: int) -> None:
        self._world = world
        self.port = port
        origin = f"http://127.0.0.1:{port}"
        self.provident = f"{origin}/provident/v2"
        self.sailpoint = f"{origin}/sailpoint"
        self.boruta = f"{origin}/boruta/api"
        self.boruta_token_url = f"{origin}/boruta-oauth/oauth/token"
        for vendor in _VENDORS:
            self._note_secrets(world.store.rows(vendor))

    @property
    def credentials(self) -> Mapping[str, Credential]:
        """What the token endpoints accept, by vendor, and `sailpoint-api-client` beside them."""
        return self._world.credentials

    @property
    def env(self) -> dict[str, str]:
        """The addresses and credentials as environment variables."""
        found = {
            "PROVIDENT_URL": self.provident,
            "SAILPOINT_URL": self.sailpoint,
            "BORUTA_URL": self.boruta,
            "BORUTA_TOKEN_URL": self.boruta_token_url,
        }
        for vendor in ISSUERS:
            found[f"{vendor.upper()}_ID"] = self.credentials[vendor].client_id
            found[f"{vendor.upper()}_SECRET"] = self.credentials[vendor].client_secret
        return found

    @property
    def ready(self) -> dict[str, Any]:
        """What the ready file holds: addresses, credentials, and both as environment variables."""
        return {
            "port": self.port,
            "addresses": {
                "provident": self.provident,
                "sailpoint": self.sailpoint,
                "boruta": self.boruta,
                "borutaToken": self.boruta_token_url,
            },
            "credentials": {
                name: {"clientId": one.client_id, "clientSecret": one.client_secret}
                for name, one in self.credentials.items()
            },
            "env": self.env,
        }

    @property
    def address_lines(self) -> str:
        """The addresses for people, one a line."""
        return (
            f"provident    {self.provident}\n"
            f"sailpoint    {self.sailpoint}\n"
            f"boruta       {self.boruta}\n"
            f"  its tokens {self.boruta_token_url}\n"
        )

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, token requests too, in order of arrival; a copy."""
        return list(self._world.log)

    def forget_requests(self) -> None:
        """Empty the record of requests; none may be under way."""
        self._world.log.clear()

    @property
    def issued_secrets(self) -> frozenset[str]:
        """Every secret and token that the sandbox ever issued, accepted or stored."""
        return frozenset(self._world.mint.issued)

    def set_faults(self, *options: str) -> None:
        """Put these faults in the place of those in force; raises ValueError for an unknown option."""
        self._world.faults.set(options)

    def token(self, name: str, *, scope: str | None = None, lifetime: float = 3600) -> str:
        """Issue a token to `credentials[name]` and return it; with all its scopes unless `scope` says which."""
        credential = self.credentials[name]
        scopes = credential.scopes if scope is None else scope.split()
        return self._world.tokens.issue(credential, frozenset(scopes), lifetime)

    def expire_tokens(self) -> None:
        """Make every token worthless at once."""
        self._world.tokens.expire()

    def clients(self, vendor: str) -> list[dict[str, Any]]:
        """A vendor's clients as its answers show them, oldest first."""
        return [row.body for row in self._world.store.rows(vendor)]

    def client(self, vendor: str, client_id: str) -> dict[str, Any]:
        """One client as answers show it; raises KeyError when there is none."""
        return self._row(vendor, client_id).body

    def edit(self, vendor: str, client_id: str, **fields: Any) -> dict[str, Any]:
        """Change fields, spelled as in answers, as an administrator would, and return the client."""
        with self._world.store.lock:
            row = _VENDORS[vendor].edited_row(self._world, self._row(vendor, client_id), fields)
            self._world.store.put(vendor, row)
        self._note_secrets([row])
        return row.body

    def remove(self, vendor: str, client_id: str) -> None:
        """Delete a client as an administrator would; raises KeyError when there is none."""
        if not self._world.store.remove(vendor, client_id):
            raise KeyError(client_id)

    def seed(self, vendor: str, clients: Iterable[Mapping[str, Any]]) -> list[str]:
        """Store clients, given by any of their answer fields; return the ids by which they are addressed."""
        rows = [_VENDORS[vendor].new_row(self._world, fields) for fields in clients]
        self._note_secrets(rows)
        self._world.store.add(vendor, rows)
        return [row.id for row in rows]

    def snapshot(self) -> bytes:
        """Everything that the servers hold, for `restore`."""
        return self._world.store.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Set the servers back to a snapshot of this sandbox, which must be one without a state file."""
        self._world.store.restore(snapshot)

    def _row(self, vendor: str, client_id: str) -> Row:
        row = self._world.store.get(vendor, client_id)
        if row is None:
            raise KeyError(client_id)
        return row

    def _note_secrets(self, rows: Iterable[Row]) -> None:
        for row in rows:
            # A stored client may hold a secret that the mint never made, and that must not be shown either.
            for name in _SECRET_FIELDS:
                self._world.mint.note(str(row.body.get(name) or row.hidden.get(name) or ""))
