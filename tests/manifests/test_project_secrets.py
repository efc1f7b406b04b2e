"""The `secrets` of a target in the project file."""

import json

import pytest

from reconciler.app.validate import validate
from reconciler.core.errors import InputError
from reconciler.core.project import SinkSettings, secret_variables
from reconciler.manifests.project import load

AGE = "age1aw7p00x99e79q58augx50jm3vl87ffzucd35cphqjy7hjt4gzvjsp8dnjp"


def write(folder, secrets, auth=None, **more):
    target = {
        "provider": "boruta",
        "baseUrl": "https://id.example.com",
        "auth": auth or {"token": {"env": "TOKEN"}},
        "manifests": ["clients/*.yaml"],
        **({} if secrets is None else {"secrets": secrets}),
    }
    path = folder / "reconciler.yaml"
    project = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "targets": {"shop": target},
        **more,
    }
    path.write_text(json.dumps(project))
    return str(path)


def settings(folder, secrets):
    return load(write(folder, secrets)).targets["shop"].sink


def problems(folder, secrets):
    with pytest.raises(InputError) as caught:
        load(write(folder, secrets))
    return [
        (each.pointer.removeprefix("/targets/shop"), each.message) for each in caught.value.problems
    ]


@pytest.mark.parametrize("secrets", [None, {}, {"sink": "file"}])
def test_without_a_word_secrets_go_into_files(tmp_path, secrets):
    assert settings(tmp_path, secrets) == SinkSettings(kind="file", options={})


@pytest.mark.parametrize(
    "options",
    [
        {"sink": "file", "directory": "private"},
        {"sink": "age", "recipients": [AGE, "ssh-ed25519 AAAAC3NzaC1 alice@example.com"]},
        {"sink": "exec", "command": ["vault", "kv"], "probe": ["vault", "status"], "timeout": "1m"},
        {"sink": "aws-secretsmanager", "name": "a/{target}/{key}", "region": "eu-west-1"},
        {"sink": "of-a-package", "shelf": {"number": 3}},
    ],
    ids=lambda options: options["sink"],
)
def test_the_options_of_a_sink_are_kept_as_they_are(tmp_path, options):
    kept = settings(tmp_path, options)

    assert kept.kind == options["sink"]
    assert {"sink": kept.kind, **kept.options} == options


@pytest.mark.parametrize(
    ("secrets", "problem"),
    [
        ({"directroy": "x"}, ("/secrets/directroy", "unknown field `directroy`")),
        ({"sink": "age"}, ("/secrets", "`recipients` is missing")),
        ({"sink": "exec"}, ("/secrets", "`command` is missing")),
        ({"sink": "exec", "command": []}, ("/secrets/command", "must not be empty")),
        (
            {"sink": "aws-secretsmanager", "name": "{target}"},
            (
                "/secrets/name",
                (
                    "the name must hold {key}, may hold {target}, and has letters, digits and "
                    "/_+=.@- besides"
                ),
            ),
        ),
        ({"sink": "file", "command": ["x"]}, ("/secrets/command", "unknown field `command`")),
    ],
)
def test_what_a_sink_does_not_take_is_refused_where_it_stands(tmp_path, secrets, problem):
    assert problem in problems(tmp_path, secrets)


def test_a_private_key_in_the_place_of_a_recipient_is_not_shown(tmp_path):
    private = "AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQY"
    path = write(tmp_path, {"sink": "age", "recipients": [private]})

    with pytest.raises(InputError) as caught:
        load(path)

    (problem,) = caught.value.problems
    assert "a recipient is an age public key" in problem.message
    assert private not in repr(problem)


def test_the_variables_that_hold_the_logins_are_known(tmp_path):
    login = {
        "clientId": {"env": "ID"},
        "clientSecret": {"env": "SECRET"},
        "tokenUrl": "https://a.example.com/t",
    }

    project = load(write(tmp_path, None, login, fingerprintKey={"env": "KEY"}))

    assert secret_variables(project) == {"SECRET", "KEY"}
    assert secret_variables(load(write(tmp_path, None))) == {"TOKEN"}
    assert secret_variables(load(write(tmp_path, None, {"token": {"file": "t"}}))) == set()


def test_validate_warns_of_a_sink_that_nothing_installed_brings_and_knows_its_like(tmp_path):
    path = write(tmp_path, {"sink": "aws-secretmanager"})

    problems = [each for each in validate(path).problems if each.pointer.endswith("/sink")]

    assert [(each.severity, each.message, each.hint) for each in problems] == [
        (
            "warning",
            "no installed package brings a sink `aws-secretmanager`",
            "did you mean `aws-secretsmanager`?",
        )
    ]
    assert problems[0].position is not None


@pytest.mark.parametrize("sink", ["file", "aws-secretsmanager"])
def test_validate_says_nothing_of_a_sink_that_is_there(tmp_path, sink):
    path = write(tmp_path, {"sink": sink})

    assert [each for each in validate(path).problems if each.pointer.endswith("/sink")] == []
