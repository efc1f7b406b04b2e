"""Where references stand in a spec, and how secrets take their place."""

import copy

import pytest
from support.given import field, provider

from reconciler.core.model import Secret
from reconciler.core.project import Reference
from reconciler.provider.references import find, substitute

TEXT = {"type": "string"}
EXAMPLE = provider(
    field("name", schema={"type": ["string", "null"]}),
    field("kind", schema={"type": "string", "enum": ["a"]}),
    field("uris", schema={"type": "array", "items": TEXT}),
    field(
        "scopes", schema={"type": "array", "items": {"type": "object", "properties": {"a/b": TEXT}}}
    ),
    field("metadata", schema={"type": "object"}),
    field("rows", schema={"type": "array", "items": {"type": "array", "items": TEXT}}),
)


def test_a_spec_without_references_has_none():
    spec = {"name": "x", "uris": ["a"], "scopes": [{"a/b": "c"}], "metadata": {"k": {"l": 1}}}

    assert find(spec, EXAMPLE) == ()


def test_references_are_found_in_fields_items_and_members_with_their_pointers():
    spec = {
        "name": {"env": "NAME"},
        "uris": ["https://a", {"file": "uri.txt"}],
        "scopes": [{"a/b": {"env": "SCOPE"}}],
        "rows": [[], ["x", {"env": "CELL"}]],
    }

    assert find(spec, EXAMPLE) == (
        ("/name", Reference(kind="env", name="NAME")),
        ("/uris/1", Reference(kind="file", name="uri.txt")),
        ("/scopes/0/a~1b", Reference(kind="env", name="SCOPE")),
        ("/rows/1/1", Reference(kind="env", name="CELL")),
    )


@pytest.mark.parametrize(
    "spec",
    [
        {"metadata": {"env": "production"}},
        {"metadata": {"inner": {"env": "production"}}},
        {"kind": {"env": "KIND"}},
        {"unknown": {"env": "X"}},
        {"name": {"vault": "x"}},
    ],
)
def test_a_mapping_is_a_reference_only_where_text_may_stand(spec):
    assert find(spec, EXAMPLE) == ()


def test_secrets_take_the_place_of_references_and_the_rest_is_shared():
    spec = {
        "name": {"env": "NAME"},
        "uris": ["https://a", {"file": "uri.txt"}],
        "scopes": [{"a/b": {"env": "SCOPE"}, "other": 1}],
        "metadata": {"k": "v"},
    }
    before = copy.deepcopy(spec)
    values = {pointer: Secret(pointer) for pointer, _ in find(spec, EXAMPLE)}

    resolved = substitute(spec, values)

    assert resolved == {
        "name": Secret("/name"),
        "uris": ["https://a", Secret("/uris/1")],
        "scopes": [{"a/b": Secret("/scopes/0/a~1b"), "other": 1}],
        "metadata": {"k": "v"},
    }
    assert resolved["metadata"] is spec["metadata"]
    assert spec == before


def test_with_nothing_to_put_in_the_spec_is_the_same_one():
    spec = {"name": "x"}

    assert substitute(spec, {}) is spec
