"""A server of another make on loopback, and the project and the provider folder that describe it.

`Shape` is the plainest server there is; a test overrides what its server does otherwise, and says in
the descriptor what a user would.
"""

from __future__ import annotations

import copy
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from click.testing import CliRunner

from reconciler.cli.root import root as command_line
from reconciler.cli.run_state import current
from support.records import record_folder, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

TOKEN = "shape-login-token-81"
DESCRIPTOR: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "Provider",
    "name": "shape",
    "title": "Shape server",
    "clientKind": "ShapeClient",
    "docs": "https://docs.example.com/clients",
    "collection": "/clients",
    "endpoints": {
        "list": {
            "method": "GET",
            "path": "",
            "expect": [200],
            "item": "/items",
            "pagination": {"style": "none"},
        },
        "create": {"method": "POST", "path": "", "expect": [201]},
        "read": {"method": "GET", "path": "/{id}", "expect": [200]},
        "update": {"method": "PUT", "path": "/{id}", "expect": [200], "style": "put-full"},
        "delete": {"method": "DELETE", "path": "/{id}", "expect": [204]},
    },
    "identity": {"pointer": "/id", "match": "name"},
    "token": {"path": "/token"},
    "errors": {"messages": ["/error"], "speaksOn": [400, 404, 409, 422]},
}
PROPERTIES: dict[str, Any] = {
    "name": {"type": "string", "description": "The name."},
    "redirect_uris": {
        "type": "array",
        "description": "Where users may be sent back to.",
        "items": {"type": "string"},
        "x-reconciler": {"set": True},
    },
    "ttl": {"type": "integer", "description": "How long a token lives, in seconds."},
    "confidential": {
        "type": "boolean",
        "description": "Whether it can keep a secret.",
        "default": True,
        "x-reconciler": {"immutable": True},
    },
    "id": {"type": "string", "description": "The id.", "readOnly": True},
    "secret": {
        "type": "string",
        "description": "The secret.",
        "readOnly": True,
        "x-reconciler": {"secret": True},
    },
}
WEB: dict[str, Any] = {"name": "Web", "redirect_uris": ["https://a.example.com/cb"], "ttl": 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it arrived; `body` is the JSON or the form, None for nothing."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer; without a body where `body` is None, with this very text where it is bytes."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Shape:
    """The plainest server: text ids, JSON clients in every answer, one whole list, a secret on create.

    `requests` are those that arrived, the latest last. `address` is where it listens.
    """

    secret_field = "secret"  # the member that only the answer to a create has

    def __init__(self) -> None:
        self.clients: dict[str, dict[str, Any]] = {}
        self.requests: list[Asked] = []
        self.issued: set[str] = set()
        self.address = ""
        self.made = 0

    def answer(self, asked: Asked) -> Said:
        """The answer to any request, by its method and path."""
        if not self.lets_in(asked):
            return Said(status=401, body={"error": "unauthorized"})
        remote_id = asked.path.removeprefix("/clients").removeprefix("/")
        if not remote_id:
            return self.create(asked) if asked.method == "POST" else self.list(asked)
        if remote_id not in self.clients:
            return Said(status=404, body={"error": "no such client"})
        return self.about_one(asked, remote_id)

    def about_one(self, asked: Asked, remote_id: str) -> Said:
        """The answer to a request about a client that is there."""
        act = {"GET": self.read, "DELETE": self.delete}.get(asked.method, self.update)
        return act(asked, remote_id)

    def lets_in(self, asked: Asked) -> bool:
        """Whether the request carries what this server wants of who calls."""
        return asked.headers.get("authorization") == f"Bearer {TOKEN}"

    def shown(self, remote_id: str) -> dict[str, Any]:
        """A client as answers show it, after its creation."""
        client = self.clients[remote_id]
        return {name: value for name, value in client.items() if name != self.secret_field}

    def list(self, _asked: Asked) -> Said:
        return Said(status=200, body={"items": [self.shown(one) for one in self.clients]})

    def new_id(self, _body: dict[str, Any]) -> Any:
        """The id of a new client, as answers show it."""
        return f"c{self.made}"

    def create(self, asked: Asked) -> Said:
        remote_id = self.add(asked.body)
        return Said(status=201, body=copy.deepcopy(self.clients[remote_id]))

    def add(self, body: dict[str, Any]) -> str:
        """Make a client of `body`; its id as paths have it."""
        self.made += 1
        made_id, secret = self.new_id(body), f"k3y-of-client-{self.made}"
        self.issued.add(secret)
        client = {"confidential": True, **copy.deepcopy(body), "id": made_id, "secret": secret}
        self.clients[str(made_id)] = client
        return str(made_id)

    def read(self, _asked: Asked, remote_id: str) -> Said:
        return Said(status=200, body=self.shown(remote_id))

    def update(self, asked: Asked, remote_id: str) -> Said:
        live = self.clients[remote_id]
        kept = {name: live[name] for name in ("id", "secret", "confidential")}
        self.clients[remote_id] = {**asked.body, **kept}
        return Said(status=200, body=self.shown(remote_id))

    def delete(self, _asked: Asked, remote_id: str) -> Said:
        del self.clients[remote_id]
        return Said(status=204)

    def writes(self) -> list[tuple[str, str, Any]]:
        """Method, path and body of what arrived and could change a client."""
        return [(one.method, one.path, one.body) for one in self.requests if one.method != "GET"]


def merged(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """`base` with `patch` merged into it, objects member by member."""
    return {
        **base,
        **{
            name: merged(base[name], value)
            if isinstance(value, dict) and isinstance(base.get(name), dict)
            else value
            for name, value in patch.items()
        },
    }


class Life:
    """A project in a folder whose one target, `mine`, is a shape; the whole tool, run in this process."""

    def __init__(self, root: Path, shape: Shape, descriptor: dict[str, Any]) -> None:
        self.root, self.shape, self.descriptor = root, shape, descriptor
        self.env: dict[str, str] = {"SHAPE_TOKEN": TOKEN}
        self.printed = ""

    def run(self, *arguments: str) -> Result:
        """Run a command line on the project, with what it prints kept in `printed` as well."""
        current.begin()
        with patch.dict(os.environ, self.env):
            done = CliRunner().invoke(
                command_line, ["--project", str(self.root / "reconciler.yaml"), *arguments]
            )
        self.printed += done.output
        return done

    def apply(self) -> Result:
        """Apply what is planned; everything must be well."""
        done = self.run("apply", "--auto-approve")
        assert done.exit_code == 0, done.output
        return done

    def is_settled(self) -> bool:
        """Whether a plan finds nothing to do."""
        done = self.run("plan", "--detailed-exitcode")
        assert done.exit_code in (0, 2), done.output
        return done.exit_code == 0

    def state(self, name: str, spec: dict[str, Any], **parts: Any) -> None:
        """Write a manifest; `id` and `labels` go into its metadata, the rest beside it."""
        metadata = {"name": name, "target": "mine"}
        metadata |= {word: parts.pop(word) for word in ("id", "labels") if word in parts}
        document = {
            "apiVersion": "reconciler/v1",
            "kind": self.descriptor["clientKind"],
            "metadata": metadata,
            "spec": spec,
            **parts,
        }
        (self.root / "clients" / f"{name}.yaml").write_text(json.dumps(document), "utf-8")

    def unstate(self, name: str) -> None:
        """Take a manifest away."""
        (self.root / "clients" / f"{name}.yaml").unlink()

    def secret(self, name: str) -> dict[str, str]:
        """What the sink holds of a client."""
        path = self.root / ".reconciler/secrets/mine" / f"{name}.json"
        found: dict[str, str] = json.loads(path.read_text("utf-8"))
        return found

    def recorded(self, name: str) -> dict[str, Any]:
        """A client's entry in the inventory."""
        entry: dict[str, Any] = recorded(record_folder(self.root, "mine"))[name]
        return entry

    def write_project(self, **target: Any) -> None:
        """Write the project file; `target` goes over what its one target has."""
        document = {
            "apiVersion": "reconciler/v1",
            "kind": "Project",
            "targets": {
                "mine": {
                    "provider": "./provider",
                    "baseUrl": self.shape.address,
                    "auth": {"token": {"env": "SHAPE_TOKEN"}},
                    "manifests": ["clients/*.yaml"],
                    "secrets": {"sink": "file", "directory": ".reconciler/secrets"},
                    "rateLimit": {"requests": 10000, "per": "1s", "share": 1},
                    **target,
                }
            },
        }
        (self.root / "reconciler.yaml").write_text(json.dumps(document), "utf-8")


def write_folder(
    folder: Path, descriptor: dict[str, Any], properties: dict[str, Any], required: list[str]
) -> None:
    """Write a provider's folder; the two bodies take what is not read-only, an update nothing immutable."""
    folder.mkdir(parents=True, exist_ok=True)
    client = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:shape:client",
        "$comment": descriptor["docs"],
        "title": "Shape client",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    writable = {name: one for name, one in properties.items() if not one.get("readOnly")}
    changed = {
        name: one
        for name, one in writable.items()
        if not one.get("x-reconciler", {}).get("immutable")
    }
    body = {"$schema": client["$schema"], "$comment": descriptor["docs"], "type": "object"}
    schemas = {
        "client": client,
        "create": {**body, "properties": writable, "required": required},
        "update": {**body, "properties": changed},
    }
    for name, schema in schemas.items():
        (folder / f"{name}.schema.json").write_text(json.dumps(schema, indent=1), "utf-8")
    (folder / "provider.yaml").write_text(json.dumps(descriptor, indent=1), "utf-8")


def described(**parts: Any) -> dict[str, Any]:
    """The plain descriptor with `parts` merged into it; what is None there, at any depth, is taken out."""
    whole: dict[str, Any] = _without_none(merged(copy.deepcopy(DESCRIPTOR), parts))
    return whole


def _without_none(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_none(one) for name, one in value.items() if one is not None}


@contextmanager
def living(
    root: Path,
    shape: Shape,
    *,
    properties: dict[str, Any] | None = None,
    required: list[str] | None = None,
    target: dict[str, Any] | None = None,
    **parts: Any,
) -> Iterator[Life]:
    """The shape, served on loopback, in a project below `root` whose descriptor has these `parts`.

    `properties` are the client's fields in place of the plain ones; `target` goes over the target's settings.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(shape))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    shape.address = f"http://127.0.0.1:{server.server_port}"
    life = Life(root, shape, described(**parts))
    write_folder(root / "provider", life.descriptor, properties or PROPERTIES, required or ["name"])
    (root / "clients").mkdir(exist_ok=True)
    life.write_project(**(target or {}))
    try:
        yield life
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(shape: Shape) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            content = self.rfile.read(length)
            parts = urlsplit(self.path)
            asked = Asked(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=_body(self.headers.get("content-type") or "", content),
            )
            shape.requests.append(asked)
            said = shape.answer(asked)
            text = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            text = b"" if said.body is None else text
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            if said.status != 204:  # RFC 9110 section 8.6: it has no length
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler


def _body(content_type: str, content: bytes) -> Any:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(content.decode("utf-8"), keep_blank_values=True))
    return json.loads(content) if content else None
