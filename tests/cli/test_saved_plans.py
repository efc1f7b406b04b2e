"""`plan --out` and `apply FILE`: what was reviewed is applied, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from reconciler.cli.exit_codes import ExitCode
from reconciler.plan.planfile import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from support.repo import Repo

    Invoke = Callable[..., Result]

CHOSEN = "a-secret-that-the-user-chose"
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/plan.schema.json").read_text())


@pytest.fixture
def applied(repo: Repo, invoke: Invoke) -> Repo:
    """A repo whose three clients are on their servers."""
    assert invoke("apply", "--auto-approve").exit_code == 0
    repo.sandbox.forget_requests()
    return repo


def saved(invoke: Invoke, *arguments: str) -> dict[str, Any]:
    assert invoke("plan", "--out", "plan.json", *arguments).exit_code == 0
    return json.loads(Path("plan.json").read_text())


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """A plan whose digest is right, whatever was done to it."""
    content = {name: value for name, value in document.items() if name != "digest"}
    return {**content, "digest": digest(content)}


def test_a_saved_plan_is_applied_without_a_question(repo: Repo, invoke: Invoke):
    saved(invoke)

    done = invoke("apply", "plan.json")

    assert done.exit_code == 0
    assert "Apply: 3 done" in done.stdout
    assert len(repo.writes()) == 3
    assert invoke("plan", "--detailed-exitcode").exit_code == 0


def test_a_saved_plan_fits_its_schema_and_holds_no_secret(
    applied: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CHOSEN", CHOSEN)
    applied.state("boruta", name="Shop", secret={"env": "CHOSEN"})
    applied.state("sailpoint", accessTokenValiditySeconds=900)

    document = saved(invoke)

    jsonschema.validate(document, SCHEMA)
    text = Path("plan.json").read_text()
    assert CHOSEN not in text
    assert not [secret for secret in applied.sandbox.issued_secrets if secret in text]
    assert '"$secret": "hmac:' in text


def test_the_same_world_gives_the_same_bytes(applied: Repo, invoke: Invoke):
    applied.state("boruta", name="Shop")

    first, second = saved(invoke), saved(invoke)

    assert first == second


def test_a_saved_plan_is_of_what_was_selected(repo: Repo, invoke: Invoke):
    document = saved(invoke, "--target", "boruta", "--select", "we*")

    done = invoke("apply", "plan.json")

    assert document["selection"] == {"targets": ["boruta"], "select": ["we*"]}
    assert done.exit_code == 0
    assert [call.split()[0] for call in repo.writes()] == ["POST"]


@pytest.mark.parametrize(
    ("vendor", "field", "value"),
    [
        ("provident", "rateLimitCount", 7),
        ("sailpoint", "description", "edited"),
        ("boruta", "name", "edited"),
    ],
)
def test_a_client_that_moved_on_the_server_is_named_and_nothing_is_sent(
    applied: Repo, invoke: Invoke, vendor: str, field: str, value: object
):
    uris = "redirect_uris" if vendor == "boruta" else "redirectUris"
    applied.state(vendor, **{uris: ["https://b.example.com"]})
    saved(invoke)
    (one,) = [each for each in applied.sandbox.clients(vendor) if each["name"] == "Web"]
    remote_id = one.get("clientId", one["id"])
    applied.sandbox.edit(vendor, remote_id, **{field: value})

    done = invoke("apply", "plan.json")

    assert done.exit_code == ExitCode.STALE
    assert f"{vendor}/web: {field} on the server was " in done.stderr
    assert f"and is {json.dumps(value)} now" in done.stderr
    assert "Nothing was sent" in done.stderr
    assert applied.writes() == []


def test_a_change_in_git_since_the_review_is_named(applied: Repo, invoke: Invoke):
    applied.state("boruta", name="Shop")
    saved(invoke)
    applied.state("boruta", name="Another")

    done = invoke("apply", "plan.json")

    assert done.exit_code == ExitCode.STALE
    assert 'boruta/web: name was to become "Shop", and is to become "Another" now' in done.stderr
    assert applied.writes() == []


@pytest.mark.usefixtures("repo")
def test_a_plan_that_was_applied_is_not_applied_again(invoke: Invoke):
    saved(invoke, "--target", "boruta")
    assert invoke("apply", "plan.json").exit_code == 0

    done = invoke("apply", "plan.json")

    assert done.exit_code == ExitCode.STALE
    assert "boruta/web: was to be created, and is to stay as it is now" in done.stderr


def test_a_client_that_came_or_went_in_git_is_named(repo: Repo, invoke: Invoke):
    saved(invoke, "--target", "boruta")
    repo.state("boruta", "new")
    came = invoke("apply", "plan.json")
    sent = len(repo.writes())
    saved(invoke, "--target", "boruta")
    (repo.folder / "clients/boruta-new.yaml").unlink()
    went = invoke("apply", "plan.json")

    assert (came.exit_code, sent) == (0, 1)
    assert "left for a plan of its own:\n  boruta/new is to be created" in came.stderr
    assert "boruta/new: was to be created, and is not in the plan any more" in went.stderr
    assert went.exit_code == ExitCode.STALE
    assert len(repo.writes()) == 1


def test_a_part_of_a_plan_can_be_applied_and_the_rest_after_it(repo: Repo, invoke: Invoke):
    repo.state("boruta", "other")
    saved(invoke)

    first = invoke("apply", "plan.json", "--only", "boruta/web", "--only", "other")
    second = invoke("apply", "plan.json", "--only", "sailpoint/web")
    whole = invoke("apply", "plan.json")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert [call.partition("/")[2].partition("/")[0] for call in repo.writes()] == [
        "boruta",
        "boruta",
        "sailpoint",
    ]
    assert whole.exit_code == ExitCode.STALE


def test_a_part_that_the_plan_does_not_hold_is_wrong_usage(repo: Repo, invoke: Invoke):
    saved(invoke)

    done = invoke("apply", "plan.json", "--only", "nobody")

    assert done.exit_code == ExitCode.USAGE
    assert "--only nobody: the saved plan has no such client" in done.stderr
    assert repo.writes() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan.json", "--target", "boruta"),
        ("plan.json", "--select", "web"),
        ("--only", "web", "--auto-approve"),
    ],
)
def test_a_saved_plan_and_a_selection_do_not_go_together(
    invoke: Invoke, arguments: tuple[str, ...]
):
    assert invoke("apply", *arguments).exit_code == ExitCode.USAGE


def edited(document: dict[str, Any]) -> dict[str, Any]:
    document["targets"][0]["changes"][0]["reason"] = "because"
    return document


def of_another_version(document: dict[str, Any]) -> dict[str, Any]:
    document["tool"]["version"] = "0.0.1"
    return sealed(document)


def of_another_format(document: dict[str, Any]) -> dict[str, Any]:
    return sealed({**document, "formatVersion": 2})


def without_a_part(document: dict[str, Any]) -> dict[str, Any]:
    del document["targets"][0]["changes"][0]["live"]
    return sealed(document)


def without_sense(document: dict[str, Any]) -> dict[str, Any]:
    return sealed({**document, "targets": "all"})


def with_errors(document: dict[str, Any]) -> dict[str, Any]:
    document["targets"][0]["errors"] = ["the server was down"]
    return sealed(document)


def of_another_address(document: dict[str, Any]) -> dict[str, Any]:
    document["targets"][0]["baseUrl"] = "https://staging.example.com"
    return sealed(document)


def of_another_provider(document: dict[str, Any]) -> dict[str, Any]:
    document["targets"][0]["provider"] = "acme"
    return sealed(document)


def of_another_target(document: dict[str, Any]) -> dict[str, Any]:
    document["targets"][0]["target"] = "prod"
    return sealed(document)


def without_targets(document: dict[str, Any]) -> dict[str, Any]:
    return sealed({**document, "targets": []})


def with_a_change_twice(document: dict[str, Any]) -> dict[str, Any]:
    document["targets"][0]["changes"] *= 2
    return sealed(document)


def with_a_refusal(document: dict[str, Any]) -> dict[str, Any]:
    document["targets"][0]["refusals"] = [{"rule": "max-deletes", "message": "too many"}]
    return sealed(document)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (edited, "was edited after it was made"),
        (without_a_part, "was edited after it was made"),
        (without_sense, "was edited after it was made"),
        (of_another_version, 'was made by reconciler "0.0.1", and this is '),
        (of_another_format, "has a format that this version does not read"),
        (with_errors, "is not a whole plan, it holds errors"),
        (of_another_address, "boruta: its address was https://staging.example.com, and is http://"),
        (of_another_provider, "boruta: its provider was acme, and is boruta now"),
        (without_targets, "has no targets"),
        (with_a_change_twice, "holds boruta/"),
        (with_a_refusal, "holds a refusal, which is not applied: boruta was refused (max-deletes)"),
        (of_another_target, "prod: the project has no such target any more"),
        (lambda _: [], "is no saved plan"),
        (lambda _: {"formatVersion": 1}, "is no saved plan"),
    ],
)
def test_a_plan_that_is_not_the_one_to_apply_here_is_refused_with_a_sentence(
    repo: Repo, invoke: Invoke, change: Callable[[dict[str, Any]], Any], sentence: str
):
    document = change(saved(invoke))
    Path("plan.json").write_text(json.dumps(document))

    done = invoke("apply", "plan.json")

    assert done.exit_code == ExitCode.STALE
    assert sentence in done.stderr
    assert repo.writes() == []


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "\xff", '{"a": 1e999}'])
def test_what_is_no_json_is_no_plan(invoke: Invoke, content: str):
    Path("plan.json").write_bytes(content.encode("latin-1"))

    done = invoke("apply", "plan.json")

    assert done.exit_code == ExitCode.STALE
    assert "plan.json is no saved plan" in done.stderr


@pytest.mark.usefixtures("repo")
def test_a_plan_that_is_not_there_is_an_error(invoke: Invoke):
    done = invoke("apply", "plan.json")

    assert done.exit_code == ExitCode.FAILED
    assert "plan.json: No such file or directory" in done.stderr


def test_a_plan_by_another_login_says_that_the_key_of_fingerprints_is_why(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    repo.state("boruta", secret={"env": "CHOSEN"})
    repo.write_project(
        sailpoint={"auth": {"token": {"env": "ISC"}}}, boruta={"auth": {"token": {"env": "T"}}}
    )
    monkeypatch.setenv("CHOSEN", CHOSEN)
    monkeypatch.setenv("ISC", repo.sandbox.token("sailpoint"))
    monkeypatch.setenv("T", repo.sandbox.token("boruta"))
    saved(invoke, "--target", "boruta", "--target", "sailpoint")
    monkeypatch.setenv("T", repo.sandbox.token("boruta"))

    done = invoke("apply", "plan.json")

    assert done.exit_code == ExitCode.STALE
    assert "boruta/web: only fingerprints of secrets differ" in done.stderr
    assert "fingerprintKey" in done.stderr
    assert "sailpoint/web" not in done.stderr
    assert repo.writes() == []


def test_with_a_key_of_the_projects_own_another_login_makes_no_difference(
    repo: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    repo.state("boruta", secret={"env": "CHOSEN"})
    repo.write_project(fingerprintKey={"env": "KEY"}, boruta={"auth": {"token": {"env": "T"}}})
    monkeypatch.setenv("CHOSEN", CHOSEN)
    monkeypatch.setenv("KEY", "a long random text")
    monkeypatch.setenv("T", repo.sandbox.token("boruta"))
    saved(invoke, "--target", "boruta")
    monkeypatch.setenv("T", repo.sandbox.token("boruta"))

    done = invoke("apply", "plan.json")

    assert done.exit_code == 0


def test_a_target_that_cannot_be_planned_again_is_an_error_and_not_a_stale_plan(
    repo: Repo, invoke: Invoke
):
    saved(invoke)
    repo.sandbox.set_faults("500=50:boruta")

    done = invoke("apply", "plan.json")

    assert done.exit_code == ExitCode.FAILED
    assert "Nothing was sent: the plan has errors." in done.stderr
    assert repo.writes() == []


PLAN_KEY = "a-key-that-signs-plans"


def state_plan_key(stated: Any) -> None:
    path = Path("reconciler.yaml")
    path.write_text(json.dumps({**json.loads(path.read_text()), "planKey": stated}))


@pytest.fixture
def signing(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repo whose project file names a key for plans, which is there."""
    state_plan_key({"env": "PLAN_KEY"})
    monkeypatch.setenv("PLAN_KEY", PLAN_KEY)
    return repo


def test_a_signed_plan_is_applied_and_the_key_is_nowhere(signing: Repo, invoke: Invoke):
    document = saved(invoke)

    done = invoke("apply", "plan.json", "--require-signature")

    jsonschema.validate(document, SCHEMA)
    assert done.exit_code == 0
    assert len(signing.writes()) == 3
    assert PLAN_KEY not in f"{document}{done.output}"


def unsigned(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "signature"}


def edited_and_sealed(document: dict[str, Any]) -> dict[str, Any]:
    document["targets"][0]["changes"].pop()
    return {**sealed(unsigned(document)), "signature": document["signature"]}


def with_another_signature(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "signature": f"hmac-sha256:{'0' * 64}"}


@pytest.mark.parametrize("change", [unsigned, edited_and_sealed, with_another_signature])
def test_no_plan_is_taken_that_the_key_did_not_sign(
    signing: Repo, invoke: Invoke, change: Callable[[dict[str, Any]], Any]
):
    Path("plan.json").write_text(json.dumps(change(saved(invoke))))
    signing.sandbox.forget_requests()

    done = invoke("apply", "plan.json", "--require-signature")

    assert done.exit_code == ExitCode.STALE
    assert "sign" in done.stderr
    assert signing.sandbox.requests == []


def test_a_plan_of_another_key_is_not_taken(
    signing: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    saved(invoke)
    monkeypatch.setenv("PLAN_KEY", "another key than that")

    done = invoke("apply", "plan.json", "--require-signature")

    assert done.exit_code == ExitCode.STALE
    assert signing.writes() == []


def test_without_the_key_a_plan_is_made_unsigned_and_told_and_none_is_required(
    signing: Repo, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PLAN_KEY")

    planned = invoke("plan", "--out", "plan.json")
    done = invoke("apply", "plan.json", "--require-signature")

    assert planned.exit_code == 0
    assert "plan.json is not signed: the environment variable PLAN_KEY is not set" in planned.stderr
    assert done.exit_code == ExitCode.FAILED
    assert "PLAN_KEY is not set" in done.stderr
    assert signing.writes() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan.json", "--require-signature"), "states no planKey"),
        (("--require-signature",), "goes with a saved plan"),
    ],
)
def test_a_signature_takes_a_plan_and_a_key(
    repo: Repo, invoke: Invoke, arguments: tuple[str, ...], words: str
):
    saved(invoke)

    done = invoke("apply", *arguments)

    assert done.exit_code == ExitCode.USAGE
    assert words in done.stderr
    assert repo.writes() == []


def test_a_key_for_plans_is_a_reference(repo: Repo, invoke: Invoke):
    state_plan_key(PLAN_KEY)

    done = invoke("validate")

    assert done.exit_code == ExitCode.FAILED
    assert "`planKey` must be a reference" in done.output
    assert PLAN_KEY not in done.output
    assert repo.writes() == []


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(repo: Repo, invoke: Invoke):
    os.mkfifo(repo.folder / "plan.json")

    done = invoke("apply", "plan.json")

    assert done.exit_code == 4
    assert "plan.json is no saved plan: it is a pipe" in done.stderr
