"""The proxy variables in the spellings that are out there: each works, or is refused by its name."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.errors import RemoteError
from reconciler.http.proxies import is_exempt, parse, proxy_for

SERVER = "https://id.example.com/v2"
HTTP = "http://boruta.svc:4000/api"


@pytest.mark.parametrize(
    ("value", "scheme", "host", "port"),
    [
        ("http://proxy:3128", "http", "proxy", 3128),
        ("http://proxy:3128/", "http", "proxy", 3128),
        ("http://proxy:3128/?x#y", "http", "proxy", 3128),
        ("proxy:3128", "http", "proxy", 3128),
        ("//proxy:3128", "http", "proxy", 3128),
        ("http:///proxy:3128", "http", "proxy", 3128),
        ("proxy", "http", "proxy", 80),
        ("http://proxy:", "http", "proxy", 80),
        ("HTTP://Proxy.Corp.Example:8080", "http", "proxy.corp.example", 8080),
        ("https://proxy", "https", "proxy", 443),
        ("HTTPS://proxy:8443/", "https", "proxy", 8443),
        ("socks5://127.0.0.1", "socks5", "127.0.0.1", 1080),
        ("SOCKS5H://proxy:9050/", "socks5h", "proxy", 9050),
        ("http://[::1]:3128", "http", "::1", 3128),
        ("[2001:DB8::1]:3128", "http", "2001:db8::1", 3128),
        ("https://[fd00::1]", "https", "fd00::1", 443),
        ("  http://proxy:3128\n", "http", "proxy", 3128),
        ('"http://proxy:3128"', "http", "proxy", 3128),
        ("'proxy:3128'", "http", "proxy", 3128),
        ("http://my_proxy-1.corp.:3128", "http", "my_proxy-1.corp.", 3128),
        ("http://pröxy.example:3128", "http", "xn--prxy-6qa.example", 3128),
        ("http://10.0.0.1:65535", "http", "10.0.0.1", 65535),
    ],
)
def test_a_proxy_is_understood_however_it_is_spelled(value, scheme, host, port):
    found = parse("HTTPS_PROXY", value)

    assert (found.scheme, found.host, found.port) == (scheme, host, port)
    assert (found.user, found.password) == ("", "")


@pytest.mark.parametrize(
    ("login", "user", "password"),
    [
        ("ann:pass", "ann", "pass"),
        ("ann", "ann", ""),
        ("ann:", "ann", ""),
        ("", "", ""),
        (":", "", ""),
        ("ann:p@ss", "ann", "p@ss"),
        ("ann@corp.example:p@ss@", "ann@corp.example", "p@ss@"),
        ("ann:p#ss", "ann", "p#ss"),
        ("ann:p/ss/word", "ann", "p/ss/word"),
        ("ann:p?ss=1", "ann", "p?ss=1"),
        ("ann:a:b:c", "ann", "a:b:c"),
        ("ann:100%", "ann", "100%"),
        ("ann:%zz%4", "ann", "%zz%4"),
        ("ann:p%40ss%3A%23", "ann", "p@ss:#"),
        ("CORP\\ann:pass", "CORP\\ann", "pass"),
        ("CORP%5Cann:pass", "CORP\\ann", "pass"),
        ("ann:p ss[1]{2}", "ann", "p ss[1]{2}"),
        ("änn:pä%C3%9F", "änn", "päß"),
        ("ann:http://x", "ann", "http://x"),
        ("ann:\"'$", "ann", "\"'$"),
    ],
)
@pytest.mark.parametrize("scheme", ["http://", "", "//", "HTTPS://", "socks5h://"])
def test_a_login_may_hold_any_character(scheme, login, user, password):
    found = parse("ALL_PROXY", f"{scheme}{login}@proxy:3128")

    assert (found.user, found.password, found.host, found.port) == (user, password, "proxy", 3128)


REFUSED = {
    "ftp://proxy:3128": "its scheme",
    "socks4://proxy": "SOCKS 4",
    "socks4a://proxy": "SOCKS 4",
    "socks://127.0.0.1:1080/": "socks5h://",
    "http://": "names no host",
    "http://hunter2@": "names no host",
    "hunter2:p@": "names no host",
    ":3128": "names no host",
    "3128": "names no host",
    "1": "names no host",
    "http://$PROXY_HOST:3128": "names no host",
    "http://${PROXY}": "names no host",
    "<proxy>:3128": "names no host",
    "http=a:1;https=b:2": "cannot be told apart",
    "http://a:1,http://b:2": "cannot be told apart",
    "http://a,b": "names no host",
    "http://a..b:3128": "names no host",
    f"http://{'a' * 64}:1": "names no host",
    "http:\\\\proxy:3128": "port",
    "http:/proxy:3128": "slashes",
    "HTTPS:/hunter2@proxy": "slashes",
    "http:proxy:3128": "cannot be told apart",
    "http://proxy:hunter2": "port",
    "http://user:hunter2/proxy": "port",
    "http://proxy:0": "port",
    "http://proxy:65536": "port",
    "http://proxy:٣١٢٨": "port",
    "http://proxy: 3128": "port",
    "http://proxy:-1": "port",
    "http://::1:3128": "brackets",
    "http://fd00::1": "brackets",
    "http://[::1": "cannot be told apart",
    "http://[proxy]:3128": "no IPv6 address",
    "http://[127.0.0.1]:3128": "no IPv6 address",
    "http://[::1]x:3128": "cannot be told apart",
    "http://ann:%FFhunter2@proxy:3128": "no UTF-8",
    "http://ann:hunter2\udcff@proxy:3128": "no UTF-8",
    "http://\udcff:3128": "names no host",
    f"socks5://ann:{'hunter2' * 40}@proxy": "longer than SOCKS",
}


@pytest.mark.parametrize(("value", "why"), REFUSED.items())
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_what_names_no_proxy_is_refused_by_the_name_of_the_variable_alone(variable, value, why):
    with pytest.raises(RemoteError) as caught:
        parse(variable, value)

    message = str(caught.value)
    assert f"environment variable {variable} " in message
    assert why in message
    assert "hunter2" not in message


@given(st.text())
@example("\0")
@example("@")
@example("://")
@example("[]")
@example("%")
@example("\ud800@\ud800")
def test_any_text_is_a_proxy_or_is_refused(value):
    refused = ""
    try:
        found = parse("HTTPS_PROXY", value)
    except RemoteError as error:
        refused = str(error)

    if refused:
        assert "HTTPS_PROXY" in refused
    else:
        assert found.host
        assert 0 < found.port < 65536


@given(st.text(), st.sampled_from(["id.example.com", "10.1.2.3", "fd07:b51a::1", "localhost"]))
@example("::/", "fd07:b51a::1")
@example("[", "10.1.2.3")
@example("10.0.0.0/99", "10.1.2.3")
@example("[::1]:99999999999999999999", "fd07:b51a::1")
def test_any_text_exempts_an_address_or_does_not(value, host):
    assert is_exempt("https", host, 443, value) in (True, False)


def test_nothing_shown_of_a_proxy_holds_its_login():
    found = parse("HTTPS_PROXY", "http://ann-user:hunter2@[::1]:3128")

    assert found.title == "the proxy http://[::1]:3128 (HTTPS_PROXY)"
    assert "hunter2" not in repr(found)
    assert "ann-user" not in repr(found)


@pytest.mark.parametrize(
    ("url", "environ", "variable"),
    [
        (SERVER, {"HTTPS_PROXY": "a"}, "HTTPS_PROXY"),
        (SERVER, {"https_proxy": "a"}, "https_proxy"),
        (SERVER, {"https_proxy": "a", "HTTPS_PROXY": "b"}, "https_proxy"),
        (SERVER, {"https_proxy": "", "HTTPS_PROXY": "b"}, "HTTPS_PROXY"),
        (SERVER, {"https_proxy": " ", "HTTPS_PROXY": '""', "ALL_PROXY": "c"}, "ALL_PROXY"),
        (SERVER, {"all_proxy": "a", "ALL_PROXY": "b"}, "all_proxy"),
        (SERVER, {"all_proxy": "a", "HTTPS_PROXY": "b"}, "HTTPS_PROXY"),
        (SERVER, {"HTTP_PROXY": "a", "http_proxy": "b"}, None),
        (SERVER, {}, None),
        (HTTP, {"HTTP_PROXY": "a"}, "HTTP_PROXY"),
        (HTTP, {"http_proxy": "a", "HTTP_PROXY": "b"}, "http_proxy"),
        (HTTP, {"HTTPS_PROXY": "a"}, None),
        (HTTP, {"HTTP_PROXY": "a", "REQUEST_METHOD": "GET"}, None),
        (HTTP, {"http_proxy": "a", "REQUEST_METHOD": "GET"}, "http_proxy"),
        (HTTP, {"HTTP_PROXY": "a", "ALL_PROXY": "b", "REQUEST_METHOD": "GET"}, "ALL_PROXY"),
        (SERVER, {"HTTPS_PROXY": "a", "REQUEST_METHOD": "GET"}, "HTTPS_PROXY"),
        (SERVER, {"HTTPS_PROXY": "a", "no_proxy": "", "NO_PROXY": "id.example.com"}, None),
        (
            SERVER,
            {"HTTPS_PROXY": "a", "no_proxy": "x", "NO_PROXY": "id.example.com"},
            "HTTPS_PROXY",
        ),
        (SERVER, {"HTTPS_PROXY": "socks9://[", "NO_PROXY": "example.com"}, None),
        ("https://127.0.0.2:9/x", {"HTTPS_PROXY": "a"}, "HTTPS_PROXY"),
        ("http://127.0.0.1:9/x", {"HTTP_PROXY": "socks9://["}, None),
        ("http://localhost:9", {"ALL_PROXY": "a"}, None),
        ("http://LOCALHOST.:9", {"ALL_PROXY": "a"}, None),
        ("https://[::1]:9", {"ALL_PROXY": "a"}, None),
    ],
)
def test_the_variables_count_in_the_order_of_curl(url, environ, variable):
    found = proxy_for(url, environ)

    assert (found and found.variable) == variable


@pytest.mark.parametrize(
    ("host", "port", "value", "exempt"),
    [
        ("id.example.com", 443, "id.example.com", True),
        ("id.example.com", 443, "ID.Example.COM", True),
        ("id.example.com", 443, "example.com", True),
        ("id.example.com", 443, ".example.com", True),
        ("id.example.com", 443, "..example.com", True),
        ("id.example.com", 443, "*.example.com", True),
        ("id.example.com", 443, "*example.com", True),
        ("id.example.com", 443, "id.*", True),
        ("id.example.com", 443, "id.*.com", True),
        ("example.com", 443, ".example.com", True),
        ("example.com", 443, "*.example.com", True),
        ("badexample.com", 443, "example.com", False),
        ("badexample.com", 443, "*example.com", False),
        ("example.com.evil.net", 443, "example.com", False),
        ("id.example.com", 443, "example", False),
        ("id.example.com", 443, "com", True),
        ("id.example.com.", 443, "example.com", True),
        ("id.example.com", 443, "example.com.", True),
        ("id.example.com", 443, "*", True),
        ("id.example.com", 443, "a, * ,b", True),
        ("id.example.com", 443, "a,, , example.com ,", True),
        ("id.example.com", 443, "a b\texample.com\n", True),
        ("id.example.com", 443, "a;b|example.com", True),
        ("id.example.com", 443, "'example.com'", True),
        ("id.example.com", 443, '"a,example.com"', True),
        ("id.example.com", 443, "example.com:443", True),
        ("id.example.com", 8443, "example.com:443", False),
        ("id.example.com", 8443, ".example.com:8443", True),
        ("id.example.com", 443, "example.com:x", False),
        ("id.example.com", 443, "https://id.example.com", True),
        ("id.example.com", 443, "https://id.example.com/", True),
        ("id.example.com", 443, "https://id.example.com:443/v2", True),
        ("id.example.com", 443, "HTTPS://id.example.com", True),
        ("id.example.com", 443, "http://id.example.com", False),
        ("id.example.com", 443, "all://id.example.com", True),
        ("id.example.com", 443, "", False),
        ("id.example.com", 443, ",. *. :443 / ://", False),
        ("id.example.com", 443, "fd07:b51a:cc66:f0::/64,example.com", True),
        ("id.example.com", 443, "10.0.0.0/99,<local>,[,],example.com", True),
        ("bücher.example", 443, "xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", 443, "bücher.example", True),
        ("localhost", 80, "localhost", True),
        ("127.0.0.2", 9, "127.0.0.2", True),
        ("127.0.0.2", 9, "127.0.0.0/8", True),
        ("127.0.0.2", 9, "127.0.0.1/8", True),
        ("127.0.0.2", 9, "127.0.0.0/255.0.0.0", True),
        ("127.0.0.2", 9, "127.0.0.1", False),
        ("127.0.0.2", 9, "127.*", True),
        ("127.0.0.2", 9, "0.0.2", False),
        ("127.0.0.2", 9, ".0.0.2", False),
        ("127.0.0.2", 9, "127.0.0.2:9", True),
        ("127.0.0.2", 9, "127.0.0.2:8", False),
        ("127.0.0.2", 9, "127.0.0.0/8:9", True),
        ("127.0.0.2", 9, "127.0.0.2/", True),
        ("127.0.0.2", 9, "http://127.0.0.2:9/x", False),
        ("127.0.0.2", 9, "https://127.0.0.2:9/x", True),
        ("127.0.0.2", 9, "::ffff:127.0.0.2", True),
        ("10.1.2.3", 443, "*", True),
        ("10.1.2.3", 443, "0.0.0.0/0", True),
        ("10.1.2.3", 443, "::/0", False),
        ("fd07:b51a:cc66:f0::2", 443, "fd07:b51a:cc66:f0::/64", True),
        ("fd07:b51a:cc66:f0::2", 443, "[fd07:b51a:cc66:f0::]/64", True),
        ("fd07:b51a:cc66:f1::2", 443, "fd07:b51a:cc66:f0::/64", False),
        ("fd07::2", 443, "FD07:0:0::2", True),
        ("fd07::2", 443, "[fd07::2]", True),
        ("fd07::2", 443, "[fd07::2]:443", True),
        ("fd07::2", 443, "[fd07::2]:80", False),
        ("fd07::2", 443, "https://[fd07::2]:443/", True),
        ("fd07::2", 443, "127.0.0.0/8", False),
        ("fe80::1%25eth0", 443, "fe80::/10", True),
    ],
)
def test_no_proxy_exempts_what_it_means(host, port, value, exempt):
    assert is_exempt("https", host, port, value) is exempt
