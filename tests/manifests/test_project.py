from pathlib import Path

import pytest

from reconciler.core.errors import InputError
from reconciler.core.project import Reference, StaticToken
from reconciler.manifests import load
from reconciler.manifests import project as project_file
from reconciler.render.problems import to_json, to_text


def refused(path="reconciler.yaml"):
    with pytest.raises(InputError) as caught:
        project_file.load(path)
    return [
        ((p.position.line, p.position.column) if p.position else None, p.message)
        for p in caught.value.problems
    ]


def replaced(before, after):
    text = Path("reconciler.yaml").read_text(encoding="utf-8")
    assert before in text
    return text.replace(before, after)


def test_a_project_file_becomes_a_project(write):
    write("sub/reconciler.yaml", replaced("sailpoint", "boruta") if write else "")

    project = project_file.load("sub/reconciler.yaml")

    assert (project.path, project.root) == ("sub/reconciler.yaml", "sub")
    assert list(project.targets) == ["isc", "shop"]
    assert isinstance(project.targets["isc"].auth, StaticToken)


@pytest.mark.usefixtures("write")
def test_a_file_in_this_folder_has_this_folder_for_its_root():
    assert project_file.load("reconciler.yaml").root == "."


@pytest.mark.usefixtures("write")
def test_a_file_that_is_not_there_is_said_to_be():
    assert refused("gone.yaml") == [(None, "there is no such file")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", [(None, "the project file is empty: `reconciler init` writes one")]),
        ("a: [", [((1, 4), "this bracket is never closed")]),
        (b"\xff", [((1, 1), "this is not valid UTF-8")]),
    ],
)
def test_a_file_that_holds_no_project_is_refused(write, content, expected):
    write("reconciler.yaml", content)

    assert refused() == expected


def test_two_documents_are_one_too_many(write):
    write("reconciler.yaml", replaced("apiVersion", "---\napiVersion") + "---\na: 1\n")

    assert refused() == [((2, 1), "a project file is one document")]


def test_everything_that_is_wrong_is_said_at_once_and_in_order(write):
    text = replaced("provider: provident", "provider: provident\n    polcy: {prune: true}")
    write(
        "reconciler.yaml", text.replace("https://isc", "http://isc").replace("kind: P", "kind: p")
    )

    found = refused()

    assert [place for place, _ in found] == [(2, 7), (6, 5), (12, 14)]
    assert found[1][1] == "unknown field `polcy`"


@pytest.mark.parametrize(
    "auth",
    [
        "{clientId: a, clientSecret: hunter2}",
        "{clientId: a, clientSecret: {value: hunter2}}",
        "{clientId: a, clientSecret: [hunter2]}",
        "{token: 'hunter2'}",
        "{token: hunter2, clientSecrt: hunter2}",
        "hunter2",
        "{clientId: a, clientSecret: hunter2, clientSecret: hunter2}",
        '{token: "hunter2}',
        "{token: !vault hunter2}",
        "\n      clientId: a\n      clientSecret:\n        hunter2",
        "\n      clientId: a\n      clientSecret: |\n        hunter2\n\tx",
    ],
)
def test_a_literal_secret_is_refused_and_never_shown(write, auth):
    write("reconciler.yaml", replaced("{token: {env: ISC_TOKEN}}", auth))

    with pytest.raises(InputError) as caught:
        project_file.load("reconciler.yaml")

    problems = caught.value.problems
    assert problems
    assert "hunter2" not in repr(problems) + to_text(problems) + repr(to_json(problems))


def test_a_literal_secret_is_one_problem_that_says_what_to_write(write):
    write("reconciler.yaml", replaced("{token: {env: ISC_TOKEN}}", "{token: 12}"))

    assert refused() == [
        ((12, 12), "`token` must be a reference: a secret does not belong into git")
    ]


def problems():
    return [
        (p.pointer, p.message, p.hint)
        for p in load("reconciler.yaml").problems
        if p.severity == "error"
    ]


def test_an_unknown_provider_names_the_nearest(write):
    write("reconciler.yaml", replaced("provider: sailpoint", "provider: sailpiont"))

    assert problems() == [
        ("/targets/isc/provider", "unknown provider `sailpiont`", "did you mean `sailpoint`?")
    ]


def test_client_credentials_need_a_token_address_where_the_provider_has_none(write):
    write(
        "reconciler.yaml",
        replaced("provider: provident", "provider: boruta").replace("collection: x\n", ""),
    )

    ((pointer, message, _),) = problems()

    assert (pointer, message) == ("/targets/shop/auth", "`tokenUrl` is missing")


def test_impossible_addresses_and_patterns_are_refused(write):
    text = replaced("https://isc.example.com", "https://isc.example.com:99999")
    text = text.replace("clients/isc/*.yaml", "clients/isc/**.yaml")
    write(
        "reconciler.yaml",
        text.replace("clientId: {", "tokenUrl: 'https://a.example.com:0', clientId: {"),
    )

    assert [pointer for pointer, *_ in problems()] == [
        "/targets/shop/auth/tokenUrl",
        "/targets/isc/baseUrl",
        "/targets/isc/manifests/0",
    ]


@pytest.mark.parametrize(
    "stated", ["hunter2", "[hunter2]", "{value: hunter2}", "\n  hunter2", "!vault hunter2"]
)
def test_a_literal_fingerprint_key_is_refused_and_never_shown(write, stated):
    write("reconciler.yaml", replaced("kind: Project", f"kind: Project\nfingerprintKey: {stated}"))

    with pytest.raises(InputError) as caught:
        project_file.load("reconciler.yaml")

    problems = caught.value.problems
    assert problems
    assert "hunter2" not in repr(problems) + to_text(problems) + repr(to_json(problems))


def test_a_fingerprint_key_is_a_reference(write):
    write("reconciler.yaml", replaced("targets:", "fingerprintKey: {file: key}\ntargets:"))

    project = project_file.load("reconciler.yaml")

    assert project.fingerprint_key == Reference(kind="file", name="key")


def test_a_target_says_how_its_writes_are_guarded(write):
    write(
        "reconciler.yaml", replaced("provider: provident", "provider: provident\n    guard: none")
    )

    targets = project_file.load("reconciler.yaml").targets

    assert (targets["shop"].conflict_check, targets["isc"].conflict_check) == ("none", None)


def test_only_a_json_patch_can_test(write):
    text = replaced("provider: provident", "provider: provident\n    guard: test")
    write(
        "reconciler.yaml",
        text.replace("provider: sailpoint", "provider: sailpoint\n    guard: test"),
    )

    assert problems() == [
        (
            "/targets/shop/guard",
            "Provident takes no JSON Patch, so that nothing can be tested",
            "`reread` reads the client again right before it is written",
        )
    ]
