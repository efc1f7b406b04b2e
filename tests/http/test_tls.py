"""Handshakes with a real server: whom the transport trusts, and that nothing makes it trust more."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from support.vendors import vendor

from reconciler.core.errors import Unreachable
from reconciler.core.model import Secret
from reconciler.http.connection import Connection
from reconciler.http.transport import Transport


class Empty(BaseHTTPRequestHandler):
    """A server that has no clients, and says so."""

    def do_GET(self):
        body = json.dumps([]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def server(authority):
    """Serve on a loopback address with a certificate for `localhost` and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


def transport(port, *, host="localhost", ca_bundle=None):
    return Transport(
        Connection(
            target="t",
            provider=vendor("sailpoint"),
            base_url=f"https://{host}:{port}",
            auth=Secret("token"),
            ca_bundle=ca_bundle,
        ),
        sleep=lambda _seconds: None,
    )


@pytest.fixture
def bundle(authority, tmp_path):
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_a_server_that_a_given_authority_vouches_for_is_trusted(server, bundle):
    with transport(server, ca_bundle=bundle) as opened:
        assert opened.send("GET", "/clients").body == []


def test_a_server_that_no_known_authority_vouches_for_is_not_spoken_to(server):
    with transport(server) as opened, pytest.raises(Unreachable, match="caBundle"):
        opened.send("GET", "/clients")


def test_a_certificate_for_another_name_is_not_taken(server, bundle):
    with (
        transport(server, host="127.0.0.1", ca_bundle=bundle) as opened,
        pytest.raises(Unreachable),
    ):
        opened.send("GET", "/clients")


def test_another_authority_than_the_given_one_is_not_trusted(server, tmp_path):
    path = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(path))

    with transport(server, ca_bundle=str(path)) as opened, pytest.raises(Unreachable):
        opened.send("GET", "/clients")
