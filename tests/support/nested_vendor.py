"""A small vendor on loopback whose clients hold secrets inside objects, and the folder that describes it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRET = {"type": "string", "x-reconciler": {"secret": True}}
TEXT = {"type": "string"}
MAIL = {
    "type": "object",
    "description": "How mails are sent.",
    "properties": {
        "host": TEXT,
        "port": {"type": "integer"},
        "password": {"$ref": "#/$defs/secret"},
        "tls": {"type": "object", "properties": {"on": {"type": "boolean"}, "key": SECRET}},
        "since": {"type": "string", "readOnly": True},
    },
}
PROPERTIES: dict[str, Any] = {
    "name": {"type": "string", "description": "The name."},
    "redirect_uris": {
        "type": "array",
        "description": "Where users may be sent back to.",
        "items": TEXT,
        "x-reconciler": {"set": True},
    },
    "mail": MAIL,
    "hooks": {
        "type": "array",
        "description": "Who is told.",
        "items": {"type": "object", "properties": {"url": TEXT, "token": SECRET}},
    },
    "headers": {
        "type": "object",
        "description": "What is sent along.",
        "additionalProperties": SECRET,
    },
    "vault": {
        "description": "Where keys are.",
        "anyOf": [
            {"type": "object", "properties": {"address": TEXT, "pin": SECRET}},
            {"type": "null"},
        ],
    },
    "extra": {
        "type": "object",
        "description": "Whatever else.",
        "patternProperties": {"^s_": SECRET},
    },
    "confidential": {
        "type": "boolean",
        "description": "Whether it can keep a secret.",
        "x-reconciler": {"immutable": True},
    },
    "client_secret": {**SECRET, "description": "The secret.", "readOnly": True},
    "registration_access_token": {**SECRET, "description": "For itself.", "readOnly": True},
    "id": {"type": "string", "description": "The id.", "readOnly": True},
}
STYLES = {
    "put-full": ("PUT", "application/json"),
    "put-partial": ("PUT", "application/json"),
    "json-patch": ("PATCH", "application/json-patch+json"),
}
DESCRIPTOR = """\
apiVersion: reconciler/v1
kind: Provider
name: nested
title: Nested server
clientKind: NestedClient
docs: https://docs.example.com/clients
collection: /clients
endpoints:
  list: {{method: GET, path: "", expect: [200], item: /items, pagination: {{style: none}}}}
  create: {{method: POST, path: "", expect: [201]}}
  read: {{method: GET, path: "/{{id}}", expect: [200]}}
  update: {{method: {method}, path: "/{{id}}", expect: [200], style: {style}, contentType: {content_type}}}
  delete: {{method: DELETE, path: "/{{id}}", expect: [204]}}
identity: {{pointer: /id, match: name}}
token: {{path: /token}}
errors: {{messages: [/error], fields: /errors, speaksOn: [400, 422]}}
"""
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
targets:
  mine:
    provider: ./providers/nested
    baseUrl: {address}
    auth: {{token: {{env: NESTED_TOKEN}}}}
    manifests: ["clients/**/*.yaml"]
    secrets: {{sink: file, directory: .reconciler/secrets}}
"""


def client_schema(properties: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:nested:client",
        "$comment": "https://docs.example.com/clients",
        "title": "Nested client",
        "type": "object",
        "properties": PROPERTIES if properties is None else properties,
        "required": ["name"],
        "additionalProperties": False,
        "$defs": {"secret": SECRET},
    }


def write_folder(root: Path, style: str, *, properties: dict[str, Any] | None = None) -> Path:
    """The provider's folder below `root`, for updates of that style."""
    folder = root / "providers" / "nested"
    folder.mkdir(parents=True, exist_ok=True)
    client = client_schema(properties)
    writable = {
        name: schema for name, schema in client["properties"].items() if not schema.get("readOnly")
    }
    body = {**client, "properties": writable, "required": []}
    # An update of this vendor takes no word on what cannot be changed.
    changed = {name: schema for name, schema in writable.items() if name != "confidential"}
    for name, schema in (
        ("client", client),
        ("create", body),
        ("update", {**body, "properties": changed}),
    ):
        (folder / f"{name}.schema.json").write_text(json.dumps(schema, indent=1), "utf-8")
    method, content_type = STYLES[style]
    text = DESCRIPTOR.format(style=style, method=method, content_type=content_type)
    (folder / "provider.yaml").write_text(text, "utf-8")
    return folder


class NestedVendor:
    """What the server holds, what it was sent, and how it answers.

    `mask` is what it shows in the place of a secret: None shows it, "" leaves it out. `refuses` has
    it refuse every write and repeat what it was sent; `deaf` has it accept and change nothing.
    """

    def __init__(self) -> None:
        self.clients: dict[str, dict[str, Any]] = {}
        self.sent: list[tuple[str, str, Any]] = []
        self.issued: set[str] = set()
        self.mask: str | None = None
        self.refuses = False
        self.deaf = False
        self.merges = False
        self.address = ""

    def shown(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            hides = self.mask == ""
            shown = {key: self.shown(member, f"{name}/{key}") for key, member in value.items()}
            return {
                key: one
                for key, one in shown.items()
                if not (hides and _is_secret(f"{name}/{key}"))
            }
        if isinstance(value, list):
            return [self.shown(item, name) for item in value]
        return self.mask if self.mask and _is_secret(name) else value

    def answer(self, method: str, remote_id: str, body: Any) -> tuple[int, Any]:
        if method != "GET" and self.refuses:
            return 422, {
                "error": f"not accepted: {json.dumps(body)}",
                "errors": {"mail": body, "mail.password": [str(body)]},
            }
        if method == "POST":
            return 201, self._create(body)
        if remote_id and remote_id not in self.clients:
            return 404, {"error": "no such client"}
        if method == "DELETE":
            return 204, self.clients.pop(remote_id) and None
        if method == "GET" and not remote_id:
            return 200, {"items": [self.shown(one) for one in self.clients.values()]}
        if method != "GET" and not self.deaf:
            self._update(method, remote_id, body)
        return 200, self.shown(self.clients[remote_id])

    def _create(self, body: Any) -> dict[str, Any]:
        remote_id = f"c{len(self.clients) + 1}"
        made = {
            "client_secret": f"k3y4you-{remote_id}",
            "registration_access_token": f"r3gister-{remote_id}",
        }
        self.issued |= set(made.values())
        self.clients[remote_id] = {"confidential": True, **body, **made, "id": remote_id}
        return self.clients[remote_id]

    def _update(self, method: str, remote_id: str, body: Any) -> None:
        live = self.clients[remote_id]
        if method == "PATCH":
            import jsonpatch  # noqa: PLC0415 - the independent judge of our patches

            self.clients[remote_id] = jsonpatch.apply_patch(live, body)
            return
        kept = {
            name: live[name]
            for name in ("id", "client_secret", "registration_access_token", "confidential")
        }
        merged = live if self.merges else {}
        self.clients[remote_id] = {**merged, **body, **kept}


def _is_secret(place: str) -> bool:
    last = place.rpartition("/")[2]
    return (
        last in {"password", "key", "token", "pin", "client_secret", "registration_access_token"}
        or place.startswith("/headers/")
        or last.startswith("s_")
    )


@contextmanager
def running(root: Path, style: str = "put-full") -> Iterator[NestedVendor]:
    """The vendor, served on loopback, with a project below `root` that uses it."""
    vendor = NestedVendor()
    vendor.merges = style == "put-partial"

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            vendor.sent.append((self.command, self.path, body))
            remote_id = self.path.removeprefix("/clients").removeprefix("/")
            status, found = vendor.answer(self.command, remote_id, body)
            content = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    vendor.address = f"http://127.0.0.1:{server.server_port}"
    write_folder(root, style)
    (root / "clients").mkdir(exist_ok=True)
    (root / "reconciler.yaml").write_text(PROJECT.format(address=vendor.address), "utf-8")
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
