"""The addresses in manifests are looked at, whatever the vendor calls the field, and each at its place."""

import json

import pytest
from support.vendors import NAMES, SCHEMAS

from reconciler.manifests import load

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
targets:
  shop:
    provider: %s
    baseUrl: https://api.shop.example.com/v2
    auth: {token: {env: TOKEN}}
    manifests: [clients/shop/*.yaml]
"""
FIELDS = {"provident": "redirectUris", "sailpoint": "redirectUris", "boruta": "redirect_uris"}
KINDS = {"provident": "ProvidentClient", "sailpoint": "SailPointClient", "boruta": "BorutaClient"}


def manifest(vendor, uris, **more):
    # With an id, so that nothing else has to be stated.
    spec = {FIELDS[vendor]: uris, **more}
    metadata = {"name": "web", "target": "shop", "id": "1"}
    return json.dumps(
        {"apiVersion": "reconciler/v1", "kind": KINDS[vendor], "metadata": metadata, "spec": spec},
        ensure_ascii=False,
    )


@pytest.fixture
def said(write):
    """Give what is said of addresses of a vendor's client: severity, pointer and message."""

    def _said(vendor, uris, **more):
        write("reconciler.yaml", PROJECT % vendor)
        write("clients/shop/web.yaml", manifest(vendor, uris, **more))
        loaded = load("reconciler.yaml")
        assert loaded.file_count == 1
        return [(p.severity, p.pointer, p.message) for p in loaded.problems]

    return _said


@pytest.mark.parametrize("vendor", NAMES)
@pytest.mark.parametrize(
    ("uri", "severity", "words"),
    [
        ("https://app.example.com/cb ", "error", "ends with a blank"),
        ("https://##HOST##/cb", "error", "placeholder"),
        ("app.example.com/cb", "error", "no scheme"),
        ("https://app.example.com/cb#x", "error", "fragment"),
        ("https://a.example.com/cb,https://b.example.com/cb", "error", "several"),
        ("https://app.example.com:99999/cb", "error", "port"),
        ("https://app.example.com/\u200bcb", "error", "U+200B"),
        ("https://*.example.com/cb", "warning", "wildcard"),
        ("http://app.example.com/cb", "warning", "plain http"),
    ],
)
def test_one_fault_of_an_address_is_one_problem_of_its_item_for_every_vendor(
    said, vendor, uri, severity, words
):
    (found,) = said(vendor, ["https://good.example.com/cb", uri])

    assert found[:2] == (severity, f"/spec/{FIELDS[vendor]}/1")
    assert words in found[2]


@pytest.mark.parametrize("vendor", NAMES)
def test_plain_addresses_and_references_are_not_spoken_of(said, vendor):
    good = ["https://app.example.com/cb", "http://127.0.0.1:8080/cb", "myapp://callback"]

    assert said(vendor, good) == []
    assert said(vendor, [*good, {"env": "URI"}]) == []


@pytest.mark.parametrize("vendor", NAMES)
def test_an_address_that_is_listed_in_two_spellings_is_a_warning(said, vendor):
    twice = ["https://app.example.com/cb", "https://App.example.com:443/cb"]

    ((severity, pointer, message),) = said(vendor, twice)

    assert (severity, pointer) == ("warning", f"/spec/{FIELDS[vendor]}/1")
    assert "listed twice" in message


def test_what_is_no_text_is_left_to_the_schema(said):
    found = said("provident", ["https://app.example.com/*", 5])

    assert [(severity, pointer) for severity, pointer, _ in found] == [
        ("warning", "/spec/redirectUris/0"),
        ("error", "/spec/redirectUris/1"),
    ]
    assert [pointer for _, pointer, _ in said("provident", "https://a.example.com/c b")] == [
        "/spec/redirectUris"
    ]


def test_another_fault_of_the_same_client_is_told_in_the_same_run(said):
    found = said("provident", ["app.example.com/cb"], tokenLifetimeSeconds="long")

    assert [pointer for _, pointer, _ in found] == [
        "/spec/redirectUris/0",
        "/spec/tokenLifetimeSeconds",
    ]


def test_a_doubtful_client_is_a_client_and_a_wrong_one_is_not(said):
    said("provident", ["https://app.example.com/*"])
    assert [manifest.name for manifest in load("reconciler.yaml").manifests] == ["web"]

    said("provident", ["https://app.example.com/#"])
    assert load("reconciler.yaml").manifests == ()


def test_a_page_is_looked_at_too_and_cleared_by_an_empty_text(said):
    assert said("sailpoint", [], homepageUrl="https://app.example.com/#/home") == []
    assert said("sailpoint", [], homepageUrl="") == []
    assert said("sailpoint", [], homepageUrl=None) == []
    assert len(said("sailpoint", [], nobodyKnows={"a": ["https://{{ host }}/"]})) == 1
    ((severity, pointer, _),) = said("sailpoint", [], homepageUrl="https://{{ host }}/")
    assert (severity, pointer) == ("error", "/spec/homepageUrl")


def test_the_place_is_the_item_in_its_list(write):
    write("reconciler.yaml", PROJECT % "provident")
    write(
        "clients/shop/web.yaml",
        "apiVersion: reconciler/v1\nkind: ProvidentClient\nmetadata: {name: web, target: shop}\n"
        "spec:\n  name: Web\n  allowedScopes: [a]\n  redirectUris:\n"
        "    - https://good.example.com/cb\n    - https://app.example.com/*\n",
    )

    (problem,) = load("reconciler.yaml").problems

    assert (problem.position.line, problem.position.column) == (9, 7)


def test_a_vendor_of_the_users_own_says_at_any_depth_what_is_an_address(write, said):
    said("provident", [])
    for name in ("client", "create", "update"):
        text = (SCHEMAS / "provident" / f"{name}.schema.json").read_text("utf-8")
        schema = json.loads(text)
        if name == "client":
            schema["properties"]["urls"] = {
                "type": "object",
                "properties": {
                    "logout": {"type": "array", "items": {"$ref": "#/$defs/address"}},
                    "launch/page": {"type": "string", "x-reconciler": {"uri": "page"}},
                },
            }
            schema["$defs"] = {"address": {"type": "string", "x-reconciler": {"uri": "redirect"}}}
        write(f"own/{name}.schema.json", json.dumps(schema))
    write("own/provider.yaml", (SCHEMAS / "provident" / "provider.yaml").read_bytes())
    write("reconciler.yaml", PROJECT % "./own")
    urls = {"logout": ["https://ok.example.com/", "https://*/"], "launch/page": "https://<host>/"}
    write("clients/shop/web.yaml", manifest("provident", [], urls=urls))

    found = [(p.severity, p.pointer) for p in load("reconciler.yaml").problems]

    assert found == [
        ("warning", "/spec/urls/logout/1"),
        ("error", "/spec/urls/launch~1page"),
    ]


def test_a_word_that_is_none_is_refused_with_those_that_are(write, said):
    said("provident", [])
    for name in ("client", "create", "update"):
        text = (SCHEMAS / "provident" / f"{name}.schema.json").read_text("utf-8")
        write(f"vendor/{name}.schema.json", text.replace('"uri": "redirect"', '"uri": "logout"'))
    write("vendor/provider.yaml", (SCHEMAS / "provident" / "provider.yaml").read_bytes())
    write("reconciler.yaml", PROJECT % "./vendor")

    problems = [p for p in load("reconciler.yaml").problems if p.severity == "error"]

    assert any("`uri` is redirect or page" in problem.message for problem in problems)
