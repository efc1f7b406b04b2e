"""A repo with one target a vendor, whose servers are a sandbox's, as the command line works on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.boruta.rows import IDENTITY_PROVIDER

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.handle import Sandbox

VENDORS = ("provident", "sailpoint", "boruta")
KINDS = {
    "provident": "ProvidentClient",
    "sailpoint": "SailPointClient",
    "boruta": "BorutaClient",
}
SPECS: dict[str, dict[str, Any]] = {
    "provident": {
        "name": "Web",
        "redirectUris": ["https://shop.example.com/callback"],
        "allowedScopes": ["orders.read"],
    },
    "sailpoint": {
        "name": "Web",
        "description": "The web shop",
        "accessTokenValiditySeconds": 3600,
        "grantTypes": ["CLIENT_CREDENTIALS"],
        "accessType": "ONLINE",
        "enabled": True,
        "type": "CONFIDENTIAL",
        "scope": ["orders.read"],
    },
    "boruta": {
        "name": "Web",
        "redirect_uris": ["https://shop.example.com/callback"],
        "identity_provider": {"id": IDENTITY_PROVIDER},
    },
}


class Repo:
    """A project with one target a vendor, whose servers are a sandbox's."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        (folder / "clients").mkdir()
        self.write_project()
        for vendor in VENDORS:
            self.state(vendor)

    def write_project(self, **settings: Any) -> None:
        """Write the project file; `settings` are its own, those under a vendor's name the target's."""
        sandbox = self.sandbox
        targets = {
            vendor: {
                "provider": vendor,
                "baseUrl": getattr(sandbox, vendor),
                "auth": {
                    "clientId": {"env": f"{vendor.upper()}_ID"},
                    "clientSecret": {"env": f"{vendor.upper()}_SECRET"},
                    **({"tokenUrl": sandbox.boruta_token_url} if vendor == "boruta" else {}),
                },
                "manifests": [f"clients/{vendor}-*.yaml"],
                **settings.pop(vendor, {}),
            }
            for vendor in VENDORS
        }
        project = {"apiVersion": "reconciler/v1", "kind": "Project", "targets": targets, **settings}
        (self.folder / "reconciler.yaml").write_text(json.dumps(project))

    def state(self, vendor: str, key: str = "web", **fields: object) -> None:
        """Write a client's manifest: the vendor's sample with these fields changed."""
        manifest = {
            "apiVersion": "reconciler/v1",
            "kind": KINDS[vendor],
            "metadata": {"name": key, "target": vendor, "labels": {"team": key}},
            "spec": SPECS[vendor] | fields,
        }
        (self.folder / "clients" / f"{vendor}-{key}.yaml").write_text(json.dumps(manifest))

    def writes(self) -> list[str]:
        """Give method and path of every request that could change a server."""
        return [
            f"{one.method} {one.path}"
            for one in self.sandbox.requests
            if one.method != "GET" and not one.path.endswith("/token")
        ]
