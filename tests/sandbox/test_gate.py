"""The gate that tests put before a sandbox: what a client sent before it died is told, however late it is read."""

from __future__ import annotations

import socket

from support.gate import Reply, gate

REQUEST = b"POST /clients HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\n{}"
# So many that some still wait to be accepted, or to be read, when the last one is closed.
MANY = 100


def test_all_that_clients_sent_before_they_were_gone_is_waited_for():
    with gate(port=0) as (opened, port):
        opened.set(before=lambda _call: Reply())
        for _ in range(MANY):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(REQUEST)

        opened.drain()

        assert opened.count == MANY


def test_half_a_request_is_not_waited_for():
    with gate(port=0) as (opened, port):
        opened.set(before=lambda _call: Reply())
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(REQUEST[:-1])

        opened.drain()

        assert opened.count == 0
