import gc
import os
from pathlib import Path

import pytest

from reconciler.core.model import Lifecycle
from reconciler.manifests import load


def said(loaded):
    return [
        (
            p.source.path,
            (p.position.line, p.position.column) if p.position else None,
            p.severity,
            p.message,
        )
        for p in loaded.problems
        if "no file matches" not in p.message
    ]


def test_valid_files_become_manifests_in_the_order_of_their_paths(write, shop):
    write("clients/shop/b/two.yaml", shop("b") + "---\n" + shop("a"))
    write("clients/shop/a.yaml", shop("c"))

    loaded = load("reconciler.yaml")

    assert said(loaded) == []
    assert [(m.name, m.source.path, m.source.document) for m in loaded.manifests] == [
        ("c", "clients/shop/a.yaml", 0),
        ("b", "clients/shop/b/two.yaml", 0),
        ("a", "clients/shop/b/two.yaml", 1),
    ]
    assert loaded.file_count == 2
    assert {name: provider.name for name, provider in loaded.providers.items()} == {
        "isc": "sailpoint",
        "shop": "provident",
    }


def test_everything_that_a_manifest_states_is_kept(write):
    write(
        "clients/shop/a.yaml",
        """\
apiVersion: reconciler/v1
kind: ProvidentClient
metadata: {name: web, target: shop, id: "17", labels: {team: web}}
lifecycle: {preventDestroy: true, allowReplace: true, ignoreChanges: [/rateLimitCount]}
spec: {name: {env: NAME}}
""",
    )

    (manifest,) = load("reconciler.yaml").manifests

    assert (manifest.kind, manifest.id, manifest.labels) == (
        "ProvidentClient",
        "17",
        {"team": "web"},
    )
    assert manifest.lifecycle == Lifecycle(
        prevent_destroy=True, allow_replace=True, ignore_changes=frozenset({"/rateLimitCount"})
    )
    assert manifest.spec == {"name": {"env": "NAME"}}


def test_paths_are_as_the_user_would_type_them(write, shop, tmp_path, monkeypatch):
    write("clients/shop/a.yaml", shop())
    monkeypatch.chdir(tmp_path.parent)

    (manifest,) = load(f"{tmp_path.name}/reconciler.yaml").manifests

    assert manifest.source.path == f"{tmp_path.name}/clients/shop/a.yaml"
    assert Path(manifest.source.path).exists()


def test_all_problems_of_all_files_are_found_in_one_run_and_sorted(write, shop):
    write("clients/shop/a.yaml", shop("a").replace("redirectUris", "redirectUri"))
    write("clients/shop/b.yaml", "apiVersion: reconciler/v1\na: [\n")
    write(
        "clients/shop/c.yaml",
        shop("c").replace("Web", "no") + "  isActive: yes\n  isActive: true\n",
    )
    write("clients/shop/d.yaml", "")

    assert said(load("reconciler.yaml")) == [
        ("clients/shop/a.yaml", (6, 3), "error", "unknown field `redirectUri`"),
        ("clients/shop/b.yaml", (2, 4), "error", "this bracket is never closed"),
        ("clients/shop/c.yaml", (5, 9), "warning",
         'plain `no` is the string "no" here, and a boolean to YAML 1.1 tools'),
        ("clients/shop/c.yaml", (9, 3), "error", "duplicate key `isActive`"),
        ("clients/shop/d.yaml", None, "warning", "the file holds no document"),
    ]  # fmt: skip


def test_a_yaml_1_1_boolean_in_a_booleans_place_is_one_error(write, shop):
    write("clients/shop/a.yaml", shop() + "  isActive: yes\n")

    assert [severity for _, _, severity, _ in said(load("reconciler.yaml"))] == ["error"]


@pytest.mark.parametrize(
    ("before", "after", "place", "message"),
    [
        ("kind: ProvidentClient", "kind: ProvidentClint", (2, 7), "unknown kind `ProvidentClint`"),
        ("target: shop", "target: shp", (3, 31), "unknown target `shp`"),
        (
            "target: shop", "target: isc", (2, 7),
            "kind `ProvidentClient` does not fit target `isc`",
        ),
        ("kind: ProvidentClient\n", "", (1, 1), "`kind` is missing"),
        ("kind: ProvidentClient\n", "kind: [a]\n", (2, 7), ""),
    ],
)  # fmt: skip
def test_a_kind_and_a_target_must_be_known_and_fit(write, shop, before, after, place, message):
    write("clients/shop/a.yaml", shop().replace(before, after))

    found = said(load("reconciler.yaml"))

    assert place in {found_place for _, found_place, *_ in found}
    assert any(message in found_message for *_, found_message in found)


@pytest.mark.parametrize(
    "text",
    ["a\n", "- a\n", "12\n", "{}\n", "metadata: 1\n", "metadata: {target: [shop]}\n", "kind: 1\n",
     "metadata: {target: shop}\n", "metadata: {target: shp, name: {}}\nkind: ~\n", "kind: {a: b}\nspec: 1\n"],
)  # fmt: skip
def test_a_document_that_is_no_manifest_is_refused(write, text):
    write("clients/shop/a.yaml", text)

    loaded = load("reconciler.yaml")

    assert loaded.manifests == ()
    assert any(severity == "error" for _, _, severity, _ in said(loaded))


def test_an_unknown_kind_for_an_unknown_target_is_two_problems(write, shop):
    text = shop().replace("Provident", "Provdent").replace("target: shop", "target: shp")
    write("clients/shop/a.yaml", f"---\n---\n{text}")

    messages = [message for *_, message in said(load("reconciler.yaml"))]

    assert messages == ["unknown kind `ProvdentClient`", "unknown target `shp`"]


def test_a_misspelled_kind_hides_nothing_else_that_is_wrong(write, shop):
    text = shop().replace("Provident", "Provdent").replace("allowedScopes", "allowedScope")
    write("clients/shop/a.yaml", text)

    messages = [message for *_, message in said(load("reconciler.yaml"))]

    assert messages[0] == "unknown kind `ProvdentClient`"
    assert "unknown field `allowedScope`" in messages


def test_of_a_document_without_kind_and_target_the_kinds_are_listed(write):
    write("clients/shop/a.yaml", "apiVersion: reconciler/v1\nspec: {}\n")

    (problem,) = (p for p in load("reconciler.yaml").problems if p.severity == "error")

    assert problem.message == "`kind` must name the kind of client"
    assert problem.hint.startswith("known are: Auth0Client, BorutaClient, ")
    assert problem.hint.endswith(", SailPointClient")


def test_two_clients_of_one_name_or_id_are_shown_in_both_places(write, shop):
    with_id = shop("x").replace("target: shop", 'target: shop, id: "7"')
    write("clients/shop/a.yaml", shop("web") + "---\n" + with_id)
    write("clients/shop/b.yaml", shop("web"))
    write("clients/shop/c.yaml", with_id.replace("name: x", "name: z"))

    found = [
        (p.source.path, p.pointer, p.position.line) for p in load("reconciler.yaml").problems[:4]
    ]

    assert found == [
        ("clients/shop/a.yaml", "/metadata/name", 3),
        ("clients/shop/a.yaml", "/metadata/id", 11),
        ("clients/shop/b.yaml", "/metadata/name", 3),
        ("clients/shop/c.yaml", "/metadata/id", 3),
    ]


def test_an_invalid_client_still_takes_its_name(write, shop):
    write("clients/shop/a.yaml", shop("web"))
    write("clients/shop/b.yaml", shop("web") + "  extra: 1\n")

    messages = [message for *_, message in said(load("reconciler.yaml"))]

    assert messages.count("another client of target `shop` has the name `web` too") == 2


def test_a_client_in_a_file_that_its_target_does_not_list_is_refused(write, shop):
    write("clients/isc/a.yaml", shop())

    ((path, place, _, message),) = said(load("reconciler.yaml"))

    assert (path, place) == ("clients/isc/a.yaml", (3, 31))
    assert message == "this file is not among the manifests of target `shop`"


def test_a_pattern_without_a_file_is_a_warning_and_a_name_without_one_an_error(write):
    text = Path("reconciler.yaml").read_text(encoding="utf-8")
    write("reconciler.yaml", text.replace("clients/isc/*.yaml", "clients/isc/one.yaml"))

    found = [(p.pointer, p.position.line, p.severity) for p in load("reconciler.yaml").problems]

    assert found == [
        ("/targets/shop/manifests/0", 8, "warning"),
        ("/targets/isc/manifests/0", 13, "error"),
    ]


def test_a_file_of_two_targets_is_read_once(write, shop):
    text = Path("reconciler.yaml").read_text(encoding="utf-8")
    write("reconciler.yaml", text.replace("clients/isc/*.yaml", "clients/**/*.yaml"))
    write("clients/shop/a.yaml", shop())

    loaded = load("reconciler.yaml")

    assert (said(loaded), len(loaded.manifests), loaded.file_count) == ([], 1, 1)


def test_a_file_that_cannot_be_read_is_a_problem_and_the_rest_goes_on(write, shop, tmp_path):
    write("clients/shop/a.yaml", shop())
    (tmp_path / "clients/shop/gone.yaml").symlink_to("nowhere")
    (tmp_path / "clients/shop/loop.yaml").symlink_to("loop.yaml")
    os.mkfifo(tmp_path / "clients/shop/pipe.yaml")
    with (tmp_path / "clients/shop/huge.yaml").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)

    loaded = load("reconciler.yaml")

    assert len(loaded.manifests) == 1
    assert [(path.rsplit("/", 1)[1], message) for path, _, _, message in said(loaded)] == [
        ("gone.yaml", "there is no such file"),
        ("huge.yaml", "the file is larger than 64 MiB"),
        ("loop.yaml", "this cannot be read: Too many levels of symbolic links"),
        ("pipe.yaml", "this is not a file"),
    ]


def test_only_the_files_that_are_named_are_read(write, shop):
    write("clients/shop/a.yaml", shop("a"))
    write("clients/shop/b.yaml", "a: [")

    loaded = load("reconciler.yaml", files=["clients/shop/a.yaml", "reconciler.yaml"])

    assert loaded.problems == ()
    assert [m.name for m in loaded.manifests] == ["a"]
    assert loaded.file_count == 1


def test_a_named_file_must_be_among_some_targets_and_be_there(write, shop):
    write("other/a.yaml", shop())

    loaded = load("reconciler.yaml", files=["other/a.yaml", "clients/shop/gone.yaml"])

    assert said(loaded) == [
        ("clients/shop/gone.yaml", None, "error", "there is no such file"),
        ("other/a.yaml", (1, 1), "error", "this file is not among the manifests of any target"),
        ("other/a.yaml", (3, 31), "error", "this file is not among the manifests of target `shop`"),
    ]


def test_a_secret_written_into_a_manifest_is_refused_and_not_shown(write):
    text = Path("reconciler.yaml").read_text(encoding="utf-8")
    write("reconciler.yaml", text.replace("sailpoint", "boruta"))
    write(
        "clients/isc/a.yaml",
        "apiVersion: reconciler/v1\nkind: BorutaClient\nmetadata: {name: web, target: isc}\n"
        "spec: {name: Web, secret: hunter2, nme: x}\n",
    )

    problems = load("reconciler.yaml").problems

    assert any(problem.pointer == "/spec/secret" for problem in problems)
    assert "hunter2" not in repr(problems)


def test_with_an_unusable_provider_the_clients_are_still_judged(write, shop):
    text = Path("reconciler.yaml").read_text(encoding="utf-8")
    write("reconciler.yaml", text.replace("provider: provident", "provider: providnt"))
    write("clients/shop/a.yaml", shop() + "  extra: 1\n")

    messages = [message for *_, message in said(load("reconciler.yaml"))]

    assert messages == ["unknown field `extra`", "unknown provider `providnt`"]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.usefixtures("write")
def test_the_garbage_collector_is_left_as_it_was(enabled):
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        load("reconciler.yaml")
        found = gc.isenabled()
    finally:
        (gc.enable if was_enabled else gc.disable)()

    assert found is enabled


def test_a_kind_and_a_target_that_nobody_knows_are_told_both(write, shop):
    write("clients/shop/a.yaml", shop().replace("ProvidentClient", "Zebra").replace("shop", "moon"))

    assert [message for *_, message in said(load("reconciler.yaml"))] == [
        "unknown kind `Zebra`",
        "unknown target `moon`",
    ]
