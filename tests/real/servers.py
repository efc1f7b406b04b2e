"""Three real servers, and what a life on each of them begins with and changes."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from real import getting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
REDIRECTS = ["https://shop.example.com/cb", "https://app.example.com/cb"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs: its target in a project file, and a client's fields before and after each change.

    `edit` changes a client as somebody else would, None where that would take its token from us; `foreign` makes one, and gives its id and, where
    it has one of its own, its token. `ids` are all there are, None where the server has no list.
    """

    name: str
    version: str
    kind: str
    target: dict[str, Any]
    env: dict[str, str]
    spec: dict[str, Any]
    changes: dict[str, dict[str, Any]]
    edit: Callable[[str, Path], None] | None
    foreign: Callable[[], tuple[str, str]]
    ids: Callable[[], set[str]] | None = None
    replaced: dict[str, Any] = field(default_factory=dict)
    rotates: bool = True

    def named(self, name: str) -> dict[str, Any]:
        """The fields of another client: what no two may share is its own."""
        own = {"clientId": name, "client_id": name}
        return {**self.spec, **{key: value for key, value in own.items() if key in self.spec}}


@contextmanager
def keycloak(cache: Path) -> Iterator[Server]:
    folder, port = getting.keycloak(cache), getting.free_port()
    base, password, secret = f"http://127.0.0.1:{port}", secrets.token_hex(), secrets.token_hex()
    admin = {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": password}
    # Each run begins with nothing: the database of start-dev is in here.
    shutil.rmtree(folder / "data", ignore_errors=True)
    command = ["bin/kc.sh", "start-dev", "--http-host", "127.0.0.1", "--http-port", str(port)]
    log = cache / "keycloak.log"
    with getting.serving(
        command, folder, f"{base}/realms/master", env={**os.environ, **admin}, log=log
    ):
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}
        master = f"{base}/realms/master/protocol/openid-connect/token"

        def asked() -> httpx.Client:
            token = httpx.post(master, data={**form, "password": password}).json()["access_token"]
            login = {"authorization": f"Bearer {token}"}
            return httpx.Client(base_url=f"{base}/admin", headers=login)

        with asked() as http:
            _make_realm(http, secret)

        def edit(remote_id: str, _home: Path) -> None:
            with asked() as http:
                http.put(f"/realms/shop/clients/{remote_id}", json={"name": "by hand"})

        def foreign() -> tuple[str, str]:
            with asked() as http:
                made = http.post("/realms/shop/clients", json={"clientId": "theirs", "name": "T"})
                return made.headers["location"].rpartition("/")[2], ""

        def ids() -> set[str]:
            with asked() as http:
                return {one["id"] for one in http.get("/realms/shop/clients").json()}

        mapper = {
            "name": "aud",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-audience-mapper",
            "config": {"included.custom.audience": "api", "access.token.claim": "true"},
        }
        other = {**mapper, "config": {"included.custom.audience": "other"}}
        yield Server(
            name="Keycloak",
            version=getting.KEYCLOAK,
            kind="KeycloakClient",
            target={
                "provider": "keycloak",
                "baseUrl": f"{base}/admin/realms/shop",
                "auth": {
                    "clientId": "reconciler",
                    "clientSecret": {"env": "LOGIN"},
                    "tokenUrl": f"{base}/realms/shop/protocol/openid-connect/token",
                },
            },
            env={"LOGIN": secret},
            spec={
                "clientId": "web",
                "name": "Web",
                "redirectUris": REDIRECTS,
                "attributes": {"access.token.lifespan": "300", "login_theme": "keycloak"},
                "protocolMappers": [mapper],
                "notBefore": 0,
            },
            changes={
                "text": {"name": "Web 2"},
                "set": {"redirectUris": REDIRECTS[:1]},
                "boolean": {"directAccessGrantsEnabled": True},
                "number": {"notBefore": 1},
                "member": {"attributes": {"access.token.lifespan": "600"}},
                "member taken away": {"attributes": {"login_theme": None}},
                "list of objects": {"protocolMappers": [other]},
                "emptied": {"redirectUris": []},
            },
            replaced={"clientId": "web-new", "defaultClientScopes": ["email"]},
            edit=edit,
            foreign=foreign,
            ids=ids,
        )


def _make_realm(http: httpx.Client, secret: str) -> None:
    """Make the realm shop, with a client that may manage its clients."""
    http.post("/realms", json={"realm": "shop", "enabled": True}).raise_for_status()
    tool = {"clientId": "reconciler", "secret": secret, "serviceAccountsEnabled": True}
    made = http.post("/realms/shop/clients", json=tool)
    made.raise_for_status()
    user = http.get(f"{made.headers['location']}/service-account-user").json()["id"]
    (manager,) = http.get("/realms/shop/clients", params={"clientId": "realm-management"}).json()
    role = http.get(f"/realms/shop/clients/{manager['id']}/roles/manage-clients").json()
    mappings = f"/realms/shop/users/{user}/role-mappings/clients/{manager['id']}"
    http.post(mappings, json=[role]).raise_for_status()


@contextmanager
def hydra(cache: Path) -> Iterator[Server]:
    program, port, public = getting.hydra(cache), getting.free_port(), getting.free_port()
    base = f"http://127.0.0.1:{port}"
    env = {
        **os.environ,
        "DSN": "memory",
        "SECRETS_SYSTEM": secrets.token_hex(),
        "URLS_SELF_ISSUER": f"http://127.0.0.1:{public}",
        "SERVE_PUBLIC_HOST": "127.0.0.1",
        "SERVE_PUBLIC_PORT": str(public),
        "SERVE_ADMIN_HOST": "127.0.0.1",
        "SERVE_ADMIN_PORT": str(port),
    }
    command = [str(program), "serve", "all", "--dev"]
    with getting.serving(command, cache, f"{base}/health/ready", env=env, log=cache / "hydra.log"):
        clients = f"{base}/admin/clients"

        def edit(remote_id: str, _home: Path) -> None:
            patch = [{"op": "replace", "path": "/client_name", "value": "by hand"}]
            httpx.patch(f"{clients}/{remote_id}", json=patch).raise_for_status()

        def foreign() -> tuple[str, str]:
            made = httpx.post(clients, json={"client_name": "T", "metadata": {"a": [1, 2]}})
            return str(made.json()["client_id"]), ""

        def ids() -> set[str]:
            return {one["client_id"] for one in httpx.get(clients).json()}

        yield Server(
            name="Ory Hydra",
            version=getting.HYDRA.removeprefix("v"),
            kind="HydraClient",
            target={"provider": "hydra", "baseUrl": base, "auth": "none"},
            env={},
            spec={
                "client_id": "web",
                "client_name": "Web",
                "redirect_uris": REDIRECTS,
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "scope": "openid",
                "authorization_code_grant_access_token_lifespan": "1h30m0s",
                "metadata": {"team": "shop"},
            },
            changes={
                "text": {"client_name": "Web 2"},
                "set": {"redirect_uris": REDIRECTS[:1]},
                "boolean": {"skip_consent": True},
                "duration": {"authorization_code_grant_access_token_lifespan": "5m0s"},
                "set to null": {"authorization_code_grant_access_token_lifespan": None},
                "member": {"metadata": {"team": "web"}},
                "emptied": {"redirect_uris": []},
            },
            replaced={"client_id": "web-new"},
            edit=edit,
            foreign=foreign,
            ids=ids,
        )


@contextmanager
def oidc_provider(cache: Path, *, rotates: bool = False) -> Iterator[Server]:
    folder, port, initial = getting.oidc_provider(cache), getting.free_port(), secrets.token_hex()
    base = f"http://127.0.0.1:{port}"
    # node finds packages from where the script is.
    script = folder / "server.mjs"
    script.write_text((HERE / "oidc_provider.mjs").read_text())
    command = ["node", str(script), str(port), initial, "rotate" if rotates else "keep"]
    ready = f"{base}/.well-known/openid-configuration"
    with getting.serving(command, folder, ready, env=os.environ, log=cache / "oidc.log"):
        package = json.loads((folder / "node_modules/oidc-provider/package.json").read_text())

        def edit(_remote_id: str, home: Path) -> None:
            told = [
                json.loads(path.read_text()) for path in home.rglob("web%2Bregistration-*.json")
            ]
            (grant,) = [json.loads(one["client_secret"]) for one in told]
            login = {"authorization": f"Bearer {grant['registration_access_token']}"}
            address = grant["registration_client_uri"]
            live = httpx.get(address, headers=login).json()
            left = ("registration_access_token", "registration_client_uri", "client_id_issued_at")
            body = {
                name: value
                for name, value in live.items()
                if name not in (*left, "client_secret_expires_at")
            }
            done = httpx.put(address, headers=login, json={**body, "client_name": "by hand"})
            done.raise_for_status()

        def foreign() -> tuple[str, str]:
            login = {"authorization": f"Bearer {initial}"}
            body = {"client_name": "T", "redirect_uris": REDIRECTS[:1]}
            made = httpx.post(f"{base}/reg", headers=login, json=body).json()
            return made["client_id"], made["registration_access_token"]

        yield Server(
            name="oidc-provider" + (", each update with a new token" if rotates else ""),
            version=package["version"],
            kind="RegisteredClient",
            target={
                "provider": "dynamic-registration",
                "issuer": base,
                "auth": {"token": {"env": "LOGIN"}},
            },
            env={"LOGIN": initial},
            spec={
                "client_name": "Web",
                "redirect_uris": REDIRECTS,
                "grant_types": ["authorization_code"],
                "default_max_age": 300,
            },
            changes={
                "text": {"client_name": "Web 2"},
                "set": {"redirect_uris": REDIRECTS[:1]},
                "boolean": {"require_auth_time": True},
                "number": {"default_max_age": 600},
            },
            edit=None if rotates else edit,
            foreign=foreign,
            rotates=False,
        )
