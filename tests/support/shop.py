"""A target `shop` with inventory and sink on disk, planned and applied to a test's own server."""

from __future__ import annotations

import json
import threading

import httpx

from reconciler.apply.context import OpenTarget, StopSignal
from reconciler.apply.executor import carry_out
from reconciler.core.model import LiveClient, LiveState
from reconciler.inventory.file import FileStore
from reconciler.plan.planner import plan_target
from reconciler.provider.secrets import seal
from reconciler.sinks.file import FileSink
from support.given import context
from support.targets import Server, transport
from support.vendors import vendor

KEY = b"a key for fingerprints"
WEB = {
    "name": "Web",
    "description": "shop",
    "accessTokenValiditySeconds": 600,
    "grantTypes": ["CLIENT_CREDENTIALS"],
    "accessType": "OFFLINE",
    "enabled": True,
    "scope": ["sp:scopes:all"],
}
FRONT = {"name": "Front", "redirectUris": ["https://shop.example.com/cb"], "allowedScopes": ["a"]}
BOX = {"name": "Box", "identity_provider": {"id": "9"}}


class Shop:
    """A target `shop` with an inventory and a sink on disk, and `clients` on its server."""

    def __init__(self, folder, name="sailpoint", *clients):
        self.vendor = vendor(name)
        self.folder = folder
        identifier = self.vendor.identity.pointer.removeprefix("/")
        self.clients = {each[identifier]: each for each in clients}
        self.conflict_check = None
        self.aged, self.gone, self.listed = False, frozenset(), True
        self.fail_fast = False
        self.told = []
        self.stop = threading.Event()
        self.sink = FileSink(folder / "secrets")
        self.store = FileStore(folder / "inventory")

    def plan(self, session, manifests):
        """Plan as the pipeline would."""
        return plan_target(self.context(session), manifests)

    def context(self, session, **facts):
        """The target as a run sees it."""
        clients = {
            key: LiveClient(remote_id=key, body=seal(self.vendor, body))
            for key, body in self.clients.items()
        }
        stated = {
            "inventory": session.inventory,
            "key": KEY,
            "conflict_check": self.conflict_check,
            "live": LiveState(clients=clients, listed=self.listed, gone=self.gone),
        }
        return context(self.vendor, **{**stated, **facts})

    def apply(
        self, server, *manifests, before=None, edit=lambda plan: plan, recorder=None, **facts
    ):
        """Plan and apply; `before` are inventory entries, `edit` changes the plan."""
        with self.store.open("shop", lock=True) as session:
            for key, entry in (before or {}).items():
                session.record(key, entry)
            plan = edit(self.plan(session, manifests))
            with transport(server, provider=self.vendor, **facts) as target:
                failed = threading.Event() if self.fail_fast else None
                opened = OpenTarget(
                    context=self.context(session),
                    transport=target,
                    session=recorder(session) if recorder else session,
                    sink=self.sink,
                    now=lambda: "2026-11-23T10:00:00Z",
                    stop=StopSignal(self.stop, failed),
                    is_old=lambda: self.aged,
                )
                return carry_out(plan, opened, on_outcome=self.told.append)

    @property
    def inventory(self):
        """What is on disk."""
        with self.store.open("shop", lock=False) as session:
            return session.inventory.entries

    @property
    def pending(self):
        """The creates that are on disk and of which nobody knows what came."""
        with self.store.open("shop", lock=False) as session:
            return session.inventory.pending

    def secret(self, key):
        """The stored secret of a client, None where there is none."""
        path = self.folder / "secrets" / "shop" / f"{key}.json"
        return json.loads(path.read_text()) if path.exists() else None


def web(remote_id="1", **facts):
    return {"id": remote_id, "type": "CONFIDENTIAL", "internal": False, **WEB, **facts}


def created(remote_id="1", **facts):
    return httpx.Response(200, json=web(remote_id, **{"secret": "hunter2-hunter2", **facts}))


def by_method(**answers):
    """A server that answers by method; a list is answered one by one."""

    def answer(request):
        found = answers[request.method]
        if isinstance(found, list):
            found = found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found(request) if callable(found) else found

    return Server(answer)
