"""Whether a server can mean an address that users are sent to, and what is said of one that it cannot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.validation.uris.check import comparable, uri_faults
from reconciler.validation.uris.fault import PAGE
from reconciler.validation.validator import is_plain_uri


def told(text, kind="redirect"):
    return [(fault.severity, fault.message) for fault in uri_faults(text, kind)]


@pytest.mark.parametrize(
    "text",
    [
        "https://app.example.com",
        "https://app.example.com/cb",
        "https://app.example.com:8443/cb",
        "https://app.example.com:443/cb",
        "HTTPS://App.Example.com/CB",
        "https://app.example.com/cb?x=1&y=2",
        "https://app.example.com/cb?x=a,b",
        "https://app.example.com/a,b;c",
        "https://app.example.com/a%2Cb/%E2%82%AC",
        "https://app.example.com/cb?next=https://b.example.com/x",
        "https://app.example.com/~me/cb(1)/'x'!/@you/$filter",
        "https://app.firebaseapp.com/__/auth/handler",
        "https://intranet/cb",
        "https://a_b.example.com/cb",
        "https://10.0.0.1/cb",
        "https://[2001:db8::1]:8443/cb",
        "https://xn--mnchen-3ya.example.com/cb",
        "https://m\u00fcnchen.example.com/cb",
        "https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/cb",
        "https://\u4f8b\u3048.jp/cb",
        "https://\u30b9\u30fc\u30d1\u30fc.jp/cb",
        "https://\ud55c\uad6d.kr/cb",
        "http://localhost",
        "http://localhost:3000/cb",
        "http://app.localhost/cb",
        "http://127.0.0.1:8080/",
        "http://[::1]/cb",
        "com.example.app:/cb",
        "com.googleusercontent.apps.123-abc:/oauth2redirect",
        "myapp://callback",
        "msauth://com.example/1wIqXSqBj7w%2Bh11ZifsnqwgyKrY%3D",
        "ms-appx-web://Microsoft.AAD.BrokerPlugin/S-1-15-2",
        "exp://127.0.0.1:19000",
        "fb123:authorize",
        "urn:ietf:wg:oauth:2.0:oob",
        "urn:ietf:wg:oauth:2.0:oob:auto",
    ],
)
def test_an_address_that_a_server_can_mean_is_not_spoken_of(text):
    assert told(text) == []


ERRORS = [
    # Nothing, and blanks.
    ("", "empty"),
    ("  ", "empty"),
    ("https://app.example.com/cb ", "ends with a blank"),
    (" https://app.example.com/cb", "begins with a blank"),
    (" https://app.example.com/cb ", "begins and ends with a blank"),
    ("https://app.example.com/c b", "a blank stands inside"),
    ("https://app.example.com/cb\n", "U+000A"),
    ("https://app.example.com/c\tb", "U+0009"),
    ("https://app.example.com/cb\u00a0", "U+00A0 NO-BREAK SPACE"),
    ("https://app.example.com/c\u2003b", "U+2003 EM SPACE"),
    # What nobody sees.
    ("https://app.example.com/cb\u200b", "U+200B ZERO WIDTH SPACE"),
    ("\ufeffhttps://app.example.com/cb", "U+FEFF"),
    ("https://app.exa\u00admple.com/cb", "U+00AD SOFT HYPHEN"),
    ("https://app.example.com/\u202ebc", "U+202E RIGHT-TO-LEFT OVERRIDE"),
    ("https://app.example.com/\u2066cb", "U+2066"),
    ("https://app.example.com/\u3164", "U+3164 HANGUL FILLER"),
    ("https://app.example.com/cb\ufe0f", "U+FE0F VARIATION SELECTOR-16"),
    ("https://app.example.com/\x1bcb", "U+001B"),
    ("https://app.example.com/\x7f", "U+007F"),
    # What looks like something else.
    ("https://\u0430pp.example.com/cb", "U+0430 CYRILLIC SMALL LETTER A among letters of another"),
    ("https://xn--pp-6kc.example.com/cb", "U+0430 CYRILLIC SMALL LETTER A among letters"),
    ("https://app.example.com/c\u0430llback", "U+0430 CYRILLIC SMALL LETTER A among letters"),
    ("https://\uff41pp.example.com/cb", "U+FF41 FULLWIDTH LATIN SMALL LETTER A, which only looks like `a`"),
    ("https://app.example.com\uff0fcb", "which only looks like `/`"),
    ("https://app.example.com/\uff43b", "which only looks like `c`"),
    ("https://app\u3002example.com/cb", "U+3002 IDEOGRAPHIC FULL STOP, which no host has"),
    ("https://app.example.com/a\u2013b", "U+2013 EN DASH, which no address has"),
    ("\uff48ttps://app.example.com/cb", "its scheme holds U+FF48"),
    ("https://xn--\u00e4.example.com/", "no Punycode"),
    ("https://a~b.example.com/", "`~` stands in its host"),
    # What a template left.
    ("https://##HOST##/cb", "placeholder"),
    ("https://{{ .Values.host }}/cb", "placeholder"),
    ("https://${HOST}/cb", "placeholder"),
    ("https://${{ vars.HOST }}/cb", "placeholder"),
    ("https://@@HOST@@/cb", "placeholder"),
    ("https://<host>/cb", "placeholder"),
    ("https://<%= host %>/cb", "placeholder"),
    ("https://%HOST%/cb", "placeholder"),
    ("https://%%HOST%%/cb", "placeholder"),
    ("https://%(host)s/cb", "placeholder"),
    ("https://$(HOST)/cb", "placeholder"),
    ("https://$HOST/cb", "placeholder"),
    ("https://[[host]]/cb", "placeholder"),
    ("https://__HOST__/cb", "placeholder"),
    ("https://@HOST@/cb", "placeholder"),
    ("https://#{Host}/cb", "placeholder"),
    ("https://app.example.com/{% if x %}cb", "placeholder"),
    ("${REDIRECT_URI}", "placeholder"),
    # Schemes.
    ("app.example.com/cb", "no scheme"),
    ("app.example.com:8443/cb", "no scheme"),
    ("localhost:3000/cb", "no scheme"),
    ("/cb", "no scheme"),
    ("//app.example.com/cb", "no scheme"),
    ("https//app.example.com/cb", "no scheme"),
    ("htps://app.example.com/cb", "misspelling of https"),
    ("htp://app.example.com/cb", "misspelling of http"),
    ("httpss://app.example.com/cb", "misspelling of https"),
    ("hxxps://app.example.com/cb", "misspelling of https"),
    ("hxxp://app.example.com/cb", "misspelling of http"),
    ("1app://cb", "its scheme is none"),
    ("javascript:alert(1)", "runs or reads"),
    ("JavaScript://app.example.com/%0aalert(1)", "runs or reads"),
    ("data:text/html,x", "runs or reads"),
    ("vbscript:x", "runs or reads"),
    ("file:///etc/passwd", "runs or reads"),
    # Several in one, quotes and lists.
    ("https://a.example.com/cb,https://b.example.com/cb", "several addresses"),
    ("https://a.example.com/cb, https://b.example.com/cb", "several addresses"),
    ("https://a.example.com/cb;https://b.example.com/cb", "several addresses"),
    ("https://a.example.com/cb https://b.example.com/cb", "several addresses"),
    ("https://a.example.com/cb\nhttps://b.example.com/cb", "several addresses"),
    ("https://a.example.com/cb,com.example.app:/cb", "several addresses"),
    ('"https://app.example.com/cb"', "a quote"),
    ('["https://app.example.com/cb"]', "a list is written as a text"),
    # Fragments, hosts, ports, users.
    ("https://app.example.com/cb#x", "fragment"),
    ("https://app.example.com/cb#", "fragment"),
    ("com.example.app:/cb#x", "fragment"),
    ("https://", "no host"),
    ("https:///cb", "no host"),
    ("http://:80/cb", "no host"),
    ("https:/app.example.com/cb", "two slashes are missing"),
    ("https:app.example.com", "two slashes are missing"),
    ("https://app..example.com/cb", "a dot too many"),
    ("https://.example.com/cb", "a dot too many"),
    ("https://-app.example.com/cb", "begins or ends with `-`"),
    ("https://a!b.example.com/cb", "`!` stands in its host"),
    ("https://%61pp.example.com/cb", "its host is percent-encoded"),
    (f"https://{'a' * 64}.example.com/cb", "64 characters, and 63 are the most"),
    (f"https://{'a.' * 130}com/cb", "263 characters, and 253 are the most"),
    ("https://999.1.1.1/cb", "no IPv4 address"),
    ("https://[::zz]/cb", "no IPv6 address"),
    ("https://[::1/cb", "no IPv6 address"),
    ("https://app.example.com:0/cb", "not between 1 and 65535"),
    ("https://app.example.com:65536/cb", "not between 1 and 65535"),
    ("https://app.example.com:99999999999999999999/cb", "not between 1 and 65535"),
    ("https://app.example.com:abc/cb", "its port is no number"),
    ("https://me@app.example.com/cb", "a user and not the host"),
    ("https://me:pass@app.example.com/cb", "a user and a password"),
    # Characters and encodings.
    ("https://app.example.com\\cb", "a backslash"),
    ("https://app.example.com/a|b", "`|` stands in it"),
    ("https://app.example.com/{", "`{` stands in it"),
    ("https://app.example.com/a[1]", "`[` stands in it"),
    ("https://app.example.com/%zz", "two hexadecimal digits"),
    ("https://app.example.com/cb%", "two hexadecimal digits"),
    ("https://app.example.com/cb%0d%0aX", "encoded control character"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), ERRORS)
def test_an_address_that_no_server_can_mean_is_one_error(text, words):
    ((severity, message),) = told(text)

    assert severity == "error"
    assert words in message


WARNINGS = [
    ("*", "a wildcard in place of an address"),
    ("*://app.example.com/*", "a wildcard in place of an address"),
    ("*.example.com", "a wildcard in place of an address"),
    ("https://*.example.com/cb", "a wildcard stands in its host"),
    ("https://app.example.com/*", "a wildcard stands in its path"),
    ("http://localhost:*", "a wildcard stands in place of its port"),
    ("https://{organization_name}.example.com/cb", "placeholder"),
    ("https://app.example.com/__PATH__", "placeholder"),
    ("https://app.example.com/$TENANT_ID/cb", "placeholder"),
    ("https://app.example.com/x?a=@NAME@", "placeholder"),
    ("https://CHANGEME/cb", "still to be filled in"),
    ("https://app.example.com/change-me", "still to be filled in"),
    ("https://your-domain.com/cb", "still to be filled in"),
    ("https://app.example.com/TODO", "still to be filled in"),
    ("https://undefined/cb", "an empty variable"),
    ("https://app.example.com/null", "an empty variable"),
    ("http://app.example.com/cb", "plain http"),
    ("http://192.168.1.5/cb", "plain http"),
    ("ftp://app.example.com/cb", "no code or token"),
    ("mailto:me@example.com", "no code or token"),
    ("https://app.example.com/cb?x=1,https://b.example.com/cb", "several addresses"),
    ("https://app.example.com/cbhttps://b.example.com/cb", "another address stands in its path"),
    ("https://app.example.com:/cb", "and no port"),
    ("https://app.example.com./cb", "ends with a dot"),
    ("https://app.example.com/a/../b", "`.` or `..`"),
    ("https://app.example.com/a/%2e%2E/b", "`.` or `..`"),
    ("https://app.example.com/cb%20", "ends with an encoded blank"),
    ("https://app.example.com/gr\u00fc\u00dfe", "U+00FC LATIN SMALL LETTER U WITH DIAERESIS"),
    ("https://\u0441\u043e\u0440\u0430.com/cb", "Cyrillic letters that look like Latin ones"),
    ("https://\U0001f4a9.la/cb", "U+1F4A9"),
]


@pytest.mark.parametrize(("text", "words"), WARNINGS)
def test_an_address_that_a_server_might_mean_is_one_warning(text, words):
    ((severity, message),) = told(text)

    assert severity == "warning"
    assert words in message


def test_all_warnings_of_an_address_are_told_and_only_the_first_error():
    assert [severity for severity, _ in told("http://*.example.com/*")] == ["warning"] * 3
    assert [severity for severity, _ in told("http://*.example.com/*#")] == ["error"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("https://app.example.com/cb ", "write https://app.example.com/cb"),
        ("app.example.com/cb?x=1", 'write "https://app.example.com/cb?x=1"'),
        ("https//app.example.com/cb", "write https://app.example.com/cb"),
        ("https:/app.example.com/cb", "write https://app.example.com/cb"),
        ("htps://app.example.com/cb", "write https://app.example.com/cb"),
        ("/cb", ""),
        (
            "https://a.example.com/x,https://b.example.com/y",
            "write a list: [https://a.example.com/x, https://b.example.com/y]",
        ),
        ("https://app.example.com/\u200bcb", "take it out: it stands here as \\u200b"),
    ],
)
def test_the_hint_is_what_to_write(text, hint):
    assert [fault.hint for fault in uri_faults(text)] == [hint]


@pytest.mark.parametrize("text", [text for text, _ in ERRORS + WARNINGS])
def test_no_message_quotes_the_address_that_a_reference_may_stand_for(text):
    # Twelve characters in a row cannot be there by chance; a scheme that everybody knows may be named.
    for _, message in told(text):
        pieces = {text[start : start + 12] for start in range(len(text) - 11)}
        assert not [piece for piece in pieces if piece in message]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("https://app.example.com/#/home", []),
        ("http://www.example.com/", []),
        ("www.example.com", ["warning"]),
        ("javascript:x", ["error"]),
        ("https://app.example.com/ ", ["error"]),
    ],
)
def test_a_page_may_have_a_fragment_and_go_by_plain_http(text, expected):
    assert [severity for severity, _ in told(text, PAGE)] == expected


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("https://App.example.com/cb", "https://app.example.com:443/cb", True),
        ("HTTP://localhost:80/", "http://localhost/", True),
        ("https://app.example.com/cb", "https://app.example.com/CB", False),
        ("https://app.example.com/cb", "https://app.example.com/cb/", False),
        ("https://app.example.com:80/", "https://app.example.com/", False),
        ("myapp://Cb", "myapp://cb", True),
        ("com.example.app:/cb", "com.example.app:/CB", False),
    ],
)
def test_scheme_host_and_default_port_are_spelled_in_many_ways(one, other, alike):
    assert (comparable(one) == comparable(other)) is alike


@settings(max_examples=400)
@given(
    st.lists(
        st.sampled_from([*"ab19.-_/:", "https://", ".com", "/cb", "xn--", "null", "change-me", "todo", "http://localhost",
         "com.app:", "443", "8443", "?", "=", "&", "A", "__", "[::1]", ".."]),
        max_size=12,
    )
)  # fmt: skip
def test_what_is_taken_for_plain_has_no_fault(pieces):
    for text in (
        "".join(pieces),
        f"https://app.{''.join(pieces)}",
        f"https://app.com/{''.join(pieces)}",
    ):
        if is_plain_uri(text):
            assert told(text) == []


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_every_text_has_an_answer(text):
    for prefix in (
        "",
        "https://",
        "https://app.example.com/",
        "http://[",
        "https://app.example.com:",
    ):
        assert len(told(prefix + text)) >= 0
