import pytest

from reconciler.core.model import Manifest, Position, Problem, Source
from reconciler.core.project import (
    ClientCredentials,
    Project,
    Reference,
    Target,
)
from reconciler.validation import rules, unknown_names

SOURCE = Source(path="reconciler.yaml")
SECRET = Reference(kind="env", name="SECRET")


def manifest(path="a.yaml", document=0, name="web", target="shop", id=None):  # noqa: A002
    source = Source(path=path, document=document)
    return Manifest(source=source, kind="K", name=name, target=target, id=id, spec={})


def target(**more):
    facts = {
        "name": "shop",
        "provider": "boruta",
        "base_url": "https://a.example.com",
        "auth": ClientCredentials(client_id="a", client_secret=SECRET),
        "manifests": ("clients/*.yaml", "more.yaml"),
    }
    return Target(**(facts | more))


def test_an_unknown_kind_and_an_unknown_target_name_what_was_meant():
    kind = unknown_names.unknown_kind(SOURCE, "BorutaClint", ["BorutaClient"])
    unknown = unknown_names.unknown_target(SOURCE, "shp", {"shop": None})

    assert (kind.pointer, kind.message) == ("/kind", "unknown kind `BorutaClint`")
    assert kind.hint == "did you mean `BorutaClient`?"
    assert (unknown.pointer, unknown.message) == ("/metadata/target", "unknown target `shp`")
    assert unknown.hint == "did you mean `shop`?"


def test_a_kind_that_does_not_fit_names_the_one_that_does():
    problem = unknown_names.wrong_kind(manifest(), "BorutaClient")

    assert problem.message == "kind `K` does not fit target `shop`"
    assert problem.hint == "the clients of this target are of kind `BorutaClient`"


def test_clients_of_one_name_are_told_of_each_other():
    found = list(
        rules.duplicate_clients(
            [manifest("a.yaml"), manifest("b.yaml", 2), manifest("c.yaml", name="x")]
        )
    )

    assert [(p.source.path, p.pointer, p.hint) for p in found] == [
        ("a.yaml", "/metadata/name", "it is in b.yaml, document 3"),
        ("b.yaml", "/metadata/name", "it is in a.yaml, document 1"),
    ]
    assert found[0].message == "another client of target `shop` has the name `web` too"


def test_of_three_of_one_id_each_is_told_of_another():
    manifests = [manifest(f"{name}.yaml", name=name, id="1") for name in "abc"]

    found = list(rules.duplicate_clients(manifests))

    assert {p.pointer for p in found} == {"/metadata/id"}
    assert [p.hint for p in found] == [
        "it is in b.yaml, document 1",
        "it is in a.yaml, document 1",
        "it is in a.yaml, document 1",
    ]


def test_names_and_ids_are_those_of_a_target_and_nothing_is_not_a_name():
    apart = [
        manifest("a.yaml", id="1"),
        manifest("b.yaml", target="orders", id="1"),
        manifest("c.yaml", name=""),
        manifest("d.yaml", name=""),
    ]

    assert list(rules.duplicate_clients(apart)) == []


def test_a_manifest_outside_of_its_targets_files_is_a_stray():
    project = Project(path="reconciler.yaml", root=".", targets={"shop": target()})
    selected = {"a.yaml": {"shop"}, "b.yaml": {"orders"}}

    (found,) = rules.unlisted_manifests([manifest("a.yaml"), manifest("b.yaml")], project, selected)

    assert (found.source.path, found.pointer) == ("b.yaml", "/metadata/target")
    assert found.hint == "they are: clients/*.yaml, more.yaml"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example.com",
        "https://[::1]:8443/v2",
        "http://localhost:1",
        "https://a_b.example.com.",
        "https://b\u00fccher.example.com",
        f"https://{'a' * 63}.example.com",
    ],
)
def test_an_address_with_a_host_is_fine(url):
    assert list(rules.address_problems(SOURCE, "/a", url)) == []


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://a:99999", "https://:1", "https://a:x", "https://a:0"]
)
def test_an_address_without_a_host_or_with_an_impossible_port_is_refused(url):
    (found,) = rules.address_problems(SOURCE, "/a", url)

    assert found.message == "there is no such host and port"


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("a..b", "its host has a dot too many"),
        (".a.b", "its host has a dot too many"),
        (f"{'a' * 64}.example.com", "a part of its host has 64 characters, and 63 are the most"),
        (".".join(["a" * 60] * 5), "its host has 304 characters, and 253 are the most"),
        ("-a.example.com", "a part of its host begins or ends with `-`"),
        ("127.0.0.999", "its host ends with a number and is no IPv4 address"),
    ],
)
@pytest.mark.parametrize("url", ["https://{}", "https://{}:8443/v2", "http://{}/"])
def test_an_address_whose_host_no_dns_has_is_refused(host, message, url):
    assert message in [
        each.message for each in rules.address_problems(SOURCE, "/a", url.format(host))
    ]


def problem(message, *, pointer="/a", severity="error", position=None, at_key=False):
    return Problem(
        source=SOURCE,
        pointer=pointer,
        message=message,
        severity=severity,
        position=position,
        at_key=at_key,
    )


def messages(*problems):
    return [kept.message for kept in rules.deduplicate(problems)]


def test_a_problem_is_told_once():
    assert messages(problem("a"), problem("a"), problem("b")) == ["a", "b"]


def test_nobody_is_warned_of_what_is_an_error_anyway():
    warning = problem(
        "plain `no`", severity="warning", position=Position(line=1, column=1, text="")
    )

    assert messages(warning, problem("wrong type")) == ["wrong type"]
    assert messages(warning, problem("elsewhere", pointer="/b")) == ["plain `no`", "elsewhere"]
    assert messages(warning, problem("the key", at_key=True)) == ["plain `no`", "the key"]


def test_the_schema_is_not_asked_about_a_value_that_could_not_be_read():
    unread = problem("not a number", position=Position(line=1, column=1, text=""))

    assert messages(unread, problem("wrong type")) == ["not a number"]
