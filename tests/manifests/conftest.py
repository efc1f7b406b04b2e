"""A project in a folder of its own, as a user has one."""

import pytest

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
targets:
  shop:
    provider: provident
    baseUrl: https://api.shop.example.com/v2
    auth: {clientId: {env: SHOP_ID}, clientSecret: {env: SHOP_SECRET}}
    manifests: [clients/shop/**/*.yaml]
  isc:
    provider: sailpoint
    baseUrl: https://isc.example.com
    auth: {token: {env: ISC_TOKEN}}
    manifests: [clients/isc/*.yaml]
"""

SHOP = """\
apiVersion: reconciler/v1
kind: ProvidentClient
metadata: {name: %s, target: shop}
spec:
  name: Web
  redirectUris: [https://web.example.com/callback]
  allowedScopes: [orders.read]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the folder that the test runs in, where a project is already."""
    monkeypatch.chdir(tmp_path)

    def _write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    _write("reconciler.yaml", PROJECT)
    return _write


@pytest.fixture
def shop():
    """Give the text of a valid client of the target `shop`."""
    return lambda name="web": SHOP % name
