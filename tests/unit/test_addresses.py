"""Two spellings of one server are one server."""

from __future__ import annotations

import pytest

from reconciler.core.addresses import open_http_host, server_address

SHOP = "https://id.example.com/v2/clients"


@pytest.mark.parametrize(
    ("base_url", "collection"),
    [
        ("https://id.example.com/v2", "/clients"),
        ("HTTPS://ID.Example.COM:443/v2/", "/clients/"),
        ("https://id.example.com./v2", "clients"),
        ("https://id.example.com//v2/./x/..", "/clients"),
        ("https://id.example.com/%76%32", "/cli%65nts"),
        ("https://id.example.com", "/v2/clients"),
    ],
)
def test_spellings_of_one_address_are_one(base_url, collection):
    assert server_address(base_url, collection) == SHOP


@pytest.mark.parametrize(
    "base_url",
    [
        "http://id.example.com/v2",
        "https://id.example.com:8443/v2",
        "https://id2.example.com/v2",
        "https://id.example.com/V2",
        "https://id.example.com/v2/tenant",
    ],
)
def test_another_address_is_another(base_url):
    assert server_address(base_url, "/clients") != SHOP


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_all_names_of_this_machine_are_one(host):
    assert server_address(f"http://{host}:8080/api", "/c") == "http://localhost:8080/api/c"


def test_hosts_are_compared_as_dns_knows_them():
    named = server_address("https://bücher.example", "/c")

    assert named == server_address("https://xn--bcher-kva.example", "/c")
    assert server_address("https://[2001:DB8:0::1]", "/c") == "https://[2001:db8::1]/c"
    assert server_address("https://10.0.0.1", "/c") == "https://10.0.0.1/c"


@pytest.mark.parametrize("odd", ["https://[::1", "https://x:notaport/"])
def test_what_is_no_address_is_left_as_it_is(odd):
    assert server_address(odd, "/c") == odd


def test_a_label_that_dns_cannot_hold_is_compared_as_it_is():
    long = "é" * 70
    assert server_address(f"https://{long.upper()}.example", "/c") == f"https://{long}.example/c"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://boruta:4000/api", "boruta"),
        ("http://boruta.identity.svc.cluster.local", "boruta.identity.svc.cluster.local"),
        ("http://10.1.2.3:80", "10.1.2.3"),
        ("http://[fd00::1]:4000", "fd00::1"),
        ("http://127.0.0.1.example.com", "127.0.0.1.example.com"),
        ("http://localhost.example.com", "localhost.example.com"),
        ("http://127.0.0.1:4000", ""),
        ("http://127.8.8.8", ""),
        ("http://[::1]", ""),
        ("http://LOCALHOST:1", ""),
        ("https://boruta:4000", ""),
        ("", ""),
    ],
)
def test_plain_http_is_open_where_it_leaves_this_machine(url, host):
    assert open_http_host(url) == host
