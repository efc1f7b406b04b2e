"""What a hint suggests is made of the characters that the user wrote, and is YAML to paste."""

import pytest

from reconciler.core.errors import InputError
from reconciler.core.scalars import quote
from reconciler.manifests import load
from reconciler.manifests.project import load as load_project
from reconciler.manifests.yaml.reader import read

CLIENT = """\
apiVersion: reconciler/v1
kind: SailPointClient
metadata: {name: web, target: isc, id: %s}
spec:
  description: %s
  accessTokenValiditySeconds: %s
  scope: %s
  grantTypes: %s
"""
GOOD = {
    "id": '"1"',
    "description": "The shop",
    "seconds": "600",
    "scope": "[a]",
    "grants": "[CLIENT_CREDENTIALS]",
}


@pytest.fixture
def hint(write):
    """Give the only hint about a client with one member written like this, and its message."""

    def _hint(**stated):
        write("clients/isc/web.yaml", CLIENT % tuple({**GOOD, **stated}.values()))
        (problem,) = [p for p in load("reconciler.yaml").problems if p.severity == "error"]
        return problem.hint, problem.message

    return _hint


NUMBERS = [
    "1.10",
    "0123",
    "1e10",
    "0o17",
    "0x1F",
    "+12",
    ".5",
    "1.0",
    "-0",
    "1.",
    "True",
    "TRUE",
    "false",
]


@pytest.mark.parametrize("written", NUMBERS)
def test_a_text_is_quoted_in_the_characters_that_were_written(hint, written):
    for member in ("id", "description"):
        found, message = hint(**{member: written})

        assert found == f'write it in quotes, such as "{written}"'
        assert written in message
        assert read(f"a: {found.rpartition(' ')[2]}".encode(), "").documents == [{"a": written}]


@pytest.mark.parametrize("written", ["NULL", "~", "Null", "null"])
def test_null_may_have_been_a_text(hint, written):
    found, _ = hint(id=written)

    assert found == f'give it a value, or leave it out, or write "{written}" for the text'


def test_nothing_at_all_was_no_text(hint):
    assert hint(id="")[0] == "give it a value, or leave it out"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1_200", "write 1200"),
        ("1_2_00", "write 1200"),
        ('"1200"', "write 1200, without quotes"),
        ('"1_200"', "write 1200, without quotes"),
        ("' 12'", "write 12, without quotes"),
        ('"0x1F"', "write 0x1F, without quotes"),
        ('"+12"', "write +12, without quotes"),
        ('"1.5"', ""),
        ('"99999999999999999999999999"', ""),
        ("12:30:00", ""),
        ("2024-01-02", ""),
        ("0b11", ""),
        ("many", ""),
    ],
)
def test_a_number_is_suggested_only_as_yaml_1_2_reads_it(hint, written, expected):
    found, _ = hint(seconds=written)

    assert found == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"a:b c:d"', ["a:b", "c:d"]),
        ("a:b c:d", ["a:b", "c:d"]),
        ('"a:b  c:d\\te"', ["a:b", "c:d", "e"]),
        ('"a:b, c:d"', ["a:b", "c:d"]),
        ('"a,b"', ["a,b"]),
        ("|\n    a:b\n    c:d", ["a:b", "c:d"]),
        ("1.10", ["1.10"]),
        ("true", ["true"]),
        ('"yes no"', ["yes", "no"]),
        ('"#a *b"', ["#a", "*b"]),
        ("sp:scopes:all", ["sp:scopes:all"]),
    ],
)
def test_a_text_of_scopes_is_split_at_its_blanks_into_a_list_of_texts(hint, written, expected):
    found, _ = hint(scope=written)

    assert found.startswith("write a list: [")
    pasted = read(found.removeprefix("write a list").encode().replace(b": [", b"a: [", 1), "")
    assert pasted.documents == [{"a": expected}]
    assert pasted.problems == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("CLIENT_CREDENTIALS,REFRESH_TOKEN", "[CLIENT_CREDENTIALS, REFRESH_TOKEN]"),
        ('"CLIENT_CREDENTIALS, REFRESH_TOKEN"', "[CLIENT_CREDENTIALS, REFRESH_TOKEN]"),
        ("CLIENT_CREDENTIALS REFRESH_TOKEN", "[CLIENT_CREDENTIALS, REFRESH_TOKEN]"),
        ("CLIENT_CREDENTIALS,OTHER", '["CLIENT_CREDENTIALS,OTHER"]'),
    ],
)
def test_where_an_item_cannot_hold_a_comma_the_text_is_split_there(hint, written, expected):
    assert hint(grants=written)[0] == f"write a list: {expected}"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("1.10: a", 'quote it: "1.10"'),
        ("0x1F: a", 'quote it: "0x1F"'),
        ("NULL: a", 'quote it: "NULL"'),
        ("a: yes", 'quote it: "yes"'),
        ("a: Off", 'quote it: "Off"'),
        ("a: .inf", 'quote it if a text is meant: ".inf"'),
        ("a: 12345678901234567890123", 'quote it if a text is meant: "12345678901234567890123"'),
        ("a: !clients/a'b", 'quote it: "!clients/a\'b"'),
    ],
)
def test_what_the_reader_suggests_to_quote_is_what_was_written(line, hint):
    (problem,) = read(line.encode(), "a.yaml").problems

    assert problem.hint == hint


def test_the_project_file_is_quoted_as_it_is_written(write):
    write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\ntargets:\n  shop:\n    provider: 1.10\n"
        "    baseUrl: https://a.example.com\n    auth: {token: {env: T}}\n    manifests: [a.yaml]\n",
    )

    with pytest.raises(InputError) as caught:
        load_project("reconciler.yaml")

    assert [problem.hint for problem in caught.value.problems] == [
        'write it in quotes, such as "1.10"'
    ]


def test_an_alias_is_what_it_stands_for_and_an_object_is_written_as_one(hint, write):
    assert hint(id="&a 1.10, labels: {a: b}")[0] == 'write it in quotes, such as "1.10"'
    write("reconciler.yaml", BORUTA)
    write(
        "clients/b.yaml",
        "apiVersion: reconciler/v1\nkind: BorutaClient\nmetadata: {name: a, target: b, id: a}\n"
        "spec: {authorized_scopes: a:b c:d, supported_grant_types: 5}\n",
    )

    hints = [problem.hint for problem in load("reconciler.yaml").problems]

    assert "write a list: [{name: a:b}, {name: c:d}]" in hints


BORUTA = """\
apiVersion: reconciler/v1
kind: Project
targets:
  b:
    provider: boruta
    baseUrl: https://b.example.com
    auth: {token: {env: T}}
    manifests: [clients/b.yaml]
"""


@pytest.mark.parametrize("text", ["a", 'a"b', "a\\b", "a\nb", "\u200b", "\U000e0100", "1.10", ""])
def test_what_is_quoted_reads_back(text):
    assert read(f"a: {quote(text)}".encode(), "").documents == [{"a": text}]


@pytest.mark.parametrize(
    ("written", "hint"),
    [("3_600", "write 3600"), ('"3600"', "write 3600, without quotes"), ("1_2", ""), ('"12"', "")],
)
def test_no_number_is_suggested_that_is_no_choice(write, shop, written, hint):
    write("clients/shop/web.yaml", f"{shop()}  tokenLifetimeSeconds: {written}\n")

    (problem,) = load("reconciler.yaml", files=["clients/shop/web.yaml"]).problems

    assert problem.hint == hint
