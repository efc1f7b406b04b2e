import json

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.manifests.yaml.positions import locate
from reconciler.manifests.yaml.reader import read

TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufeff"),
    max_size=12,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["no", "012", "1e3", "0x1F", "~", "<<", "*a", "12:30", "null", "- a", "a: b"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.just("<<"), inner, max_size=4)
    ),
    max_leaves=12,
)
CONTAINERS = VALUES.map(lambda value: {"value": value})

SEED = """\
apiVersion: reconciler/v1
kind: SailPointClient
metadata: {name: web, target: isc, labels: &l {team: web}}
spec:
  name: "Web"
  redirectUris:
    - https://a.example.com/?a=1&b=2
  enabled: yes # a comment
  other: *l
---
- !!str 12
- |
  text
"""
FRAGMENTS = st.sampled_from(
    ["\t", "\n", "\r", "\x00", "\x85", "\u2028", "\ufeff", "[", "]", "{", "}", ":", ": ", "- ", "? ", "&a ",
     "*a", "!", "!!int ", "%", "@", "`", '"', "'", "|", ">", "#", "<<: ", "---\n", "...\n", "  ", "é", "\\"]
)  # fmt: skip


@given(CONTAINERS)
def test_json_is_read_as_json_reads_it(value):
    reading = read(json.dumps(value, ensure_ascii=False).encode(), "a.yaml")

    assert (reading.documents, reading.problems) == ([value], [])


@given(CONTAINERS)
def test_what_a_yaml_writer_tags_and_quotes_is_read_as_it_was(value):
    text = yaml.safe_dump(value, default_style='"', allow_unicode=True)

    reading = read(text.encode(), "a.yaml")

    assert (reading.documents, reading.problems) == ([value], [])


def assert_usable(text):
    """Whatever a file holds is read, or refused with places that are in the file."""
    reading = read(text, "a.yaml")
    located = locate(reading.problems, lambda _: text, lambda _: False)
    for problem in located:
        assert problem.message
        assert problem.position is None or problem.position.line >= 1
        assert problem.position is None or (
            1 <= problem.position.column <= len(problem.position.text) + 1
        )
    json.dumps(reading.documents, allow_nan=False)


@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf")
@example(b"%YAML 99999999999999999999.1\n---\n")
def test_no_bytes_end_in_anything_but_values_and_problems(text):
    assert_usable(text)


@given(st.data())
def test_no_damage_to_a_manifest_ends_in_anything_but_values_and_problems(data):
    text = SEED
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 6))
        text = text[:at] + data.draw(FRAGMENTS) + text[at + gone :]

    assert_usable(text.encode())


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
@given(value=CONTAINERS)
def test_the_encoding_makes_no_difference(codec, value):
    text = json.dumps(value, ensure_ascii=False)

    assert read(text.encode(codec), "a.yaml").documents == [value]
