"""Whole loads over files that hold anything: problems may come of it, and nothing else."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.errors import InputError
from reconciler.manifests import load
from reconciler.render.problems import to_json, to_text

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
targets:
  isc:
    provider: sailpoint
    baseUrl: https://isc.example.com
    auth: {clientId: {env: ID}, clientSecret: {env: SECRET}}
    manifests: ["*.client.yaml"]
    rateLimit: {requests: 100, per: 10s, share: 0.5}
    timeouts: {connect: 5s}
"""
CLIENT = """\
apiVersion: reconciler/v1
kind: SailPointClient
metadata: {name: web, target: isc, id: "7", labels: {team: web}}
lifecycle: {preventDestroy: true, ignoreChanges: [/name]}
spec:
  name: Web
  description: {env: NAME}
  redirectUris:
    - https://a.example.com
  accessTokenValiditySeconds: 750
  grantTypes: [AUTHORIZATION_CODE]
  enabled: true
"""
PIECES = st.sampled_from(
    ["", "\t", "\n", "\x00", "[", "]", "{", "}", ": ", "- ", "&a ", "*a", "!!int ", "<<: ", "---\n", "no", "1",
     "1e9", "null", "é", "😀", '"', "~", "[[]]",
     "targets", "spec", "name", "/", "..", "**", "99999999999999999999", "\\"]
)  # fmt: skip


@st.composite
def damaged(draw, text):
    for _ in range(draw(st.integers(0, 3))):
        at, gone = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        text = text[:at] + draw(PIECES) + text[at + gone :]
    return text


def assert_only_problems(project, client):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "reconciler.yaml").write_bytes(project)
        (Path(folder) / "a.client.yaml").write_bytes(client)
        try:
            problems = load(f"{folder}/reconciler.yaml").problems
        except InputError as error:
            problems = error.problems
            assert problems

    assert to_text(problems).count("\n") >= len(to_json(problems))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(damaged(CLIENT))
def test_no_damage_to_a_manifest_is_more_than_a_problem(client):
    assert_only_problems(PROJECT.encode(), client.encode())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(damaged(PROJECT))
def test_no_damage_to_a_project_file_is_more_than_a_problem(project):
    assert_only_problems(project.encode(), CLIENT.encode())


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_no_bytes_are_more_than_a_problem(project, client):
    assert_only_problems(project, client)
    assert_only_problems(PROJECT.encode(), client)
