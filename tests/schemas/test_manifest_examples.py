"""The folders of manifests that are right, and of those that are wrong with what is said of them."""

import pytest
from support.manifest_examples import KINDS, accepted, documents, refused, validator_of
from support.vendors import schema

from reconciler.core.model import Problem, Source


def said(problem: Problem) -> str:
    place = f"{problem.pointer} (key)" if problem.at_key else problem.pointer
    return f"{place}: {'; '.join(part for part in (problem.message, problem.hint) if part)}"


@pytest.mark.parametrize("path", accepted(), ids=lambda path: path.stem)
def test_a_right_manifest_has_no_problem(path):
    (manifest,) = documents(path)

    validator = validator_of(path)

    assert validator.accepts(manifest)
    assert validator.problems(manifest) == []


@pytest.mark.parametrize("path", refused(), ids=lambda path: path.stem)
def test_a_wrong_manifest_is_told_every_problem_in_the_users_words(path):
    manifest, expected = documents(path)

    problems = validator_of(path).problems(manifest, Source(path=path.name))

    assert [said(problem) for problem in problems] == expected
    assert {problem.source for problem in problems} == {Source(path=path.name)}
    assert not validator_of(path).accepts(manifest)


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_right_manifest_of_every_kind(kind):
    assert kind in {documents(path)[0]["kind"] for path in accepted()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_that_only_the_server_writes_is_named_as_such(kind):
    fields = schema(KINDS[kind], "client")["properties"]
    server_made = {name for name, field in fields.items() if field.get("readOnly")}
    path = next(path for path in accepted() if documents(path)[0]["kind"] == kind)
    (manifest,) = documents(path)
    manifest["spec"] |= dict.fromkeys(server_made, "x")

    problems = validator_of(path).problems(manifest)

    assert {problem.pointer for problem in problems} == {f"/spec/{name}" for name in server_made}
    assert all("is set by the server" in problem.message for problem in problems)
