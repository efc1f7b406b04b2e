"""How the schema of a manifest follows from the schema of a client."""

from reconciler.provider.manifest_schema import derive
from reconciler.validation.validator import Validator


def client(**members):
    return {
        "$id": "urn:reconciler:example:client",
        "$comment": "https://docs.example.com",
        "title": "Example client",
        "type": "object",
        **members,
    }


def manifest(spec, **metadata):
    return {
        "apiVersion": "reconciler/v1",
        "kind": "ExampleClient",
        "metadata": {"name": "web", "target": "shop", **metadata},
        "spec": spec,
    }


def accepts(schema, spec, **metadata):
    return Validator(derive(schema, "ExampleClient")).accepts(manifest(spec, **metadata))


TEXT = {"type": "string", "description": "Text."}


def test_a_reference_may_stand_for_text_and_for_nothing_else():
    schema = client(
        properties={
            "text": TEXT,
            "choice": {"type": "string", "enum": ["a"]},
            "number": {"type": "integer"},
            "texts": {"type": "array", "items": TEXT},
            "object": {"type": "object", "properties": {"text": TEXT}},
            "nested": {"type": "array", "items": {"type": "array", "items": TEXT}},
        }
    )
    reference = {"env": "NAME"}

    assert accepts(schema, {"text": reference})
    assert accepts(schema, {"texts": ["a", reference]})
    assert accepts(schema, {"object": {"text": reference}})
    assert accepts(schema, {"nested": [[reference]]})
    assert not accepts(schema, {"choice": reference})
    assert not accepts(schema, {"number": reference})
    assert not accepts(schema, {"texts": reference})


def test_a_secret_is_taken_by_reference_only():
    schema = client(properties={"secret": {**TEXT, "x-reconciler": {"secret": True}}})

    assert accepts(schema, {"secret": {"file": "secret.txt"}})
    assert not accepts(schema, {"secret": "in git"})


def test_a_field_that_the_server_sets_is_known_and_refused():
    schema = client(properties={"id": {**TEXT, "readOnly": True}})

    derived = derive(schema, "ExampleClient")

    assert not accepts(schema, {"id": "x"})
    assert derived["$defs"]["spec"]["properties"]["id"]["readOnly"]
    assert derived["$defs"]["lifecycle"]["properties"]["ignoreChanges"]["items"]["enum"] == []


def test_what_is_required_is_required_of_a_client_that_may_have_to_be_created():
    schema = client(properties={"text": TEXT}, required=["text"])

    assert not accepts(schema, {})
    assert accepts(schema, {}, id="existing")
    assert accepts(schema, {"text": "a"})


def test_a_rule_that_requires_a_field_does_so_only_of_a_client_that_may_have_to_be_created():
    needs_b = {
        "if": {"required": ["a"]},
        "then": {"required": ["b"], "properties": {"b": {"minLength": 1}}},
    }
    schema = client(properties={"a": TEXT, "b": TEXT}, allOf=[needs_b])

    assert not accepts(schema, {"a": "x"})
    assert accepts(schema, {"a": "x"}, id="existing")
    assert not accepts(schema, {"a": "x", "b": ""}, id="existing")


def test_a_rule_for_creates_is_none_for_existing_clients():
    rule = {
        "if": {"not": {"required": ["a"]}},
        "then": {"properties": {"b": {"const": "x"}}},
        "x-reconciler": {"createOnly": True},
    }
    schema = client(properties={"a": TEXT, "b": TEXT}, allOf=[rule])

    assert not accepts(schema, {"b": "y"})
    assert accepts(schema, {"b": "y"}, id="existing")


def test_a_description_stays_where_an_editor_looks_for_it():
    derived = derive(client(properties={"text": {**TEXT, "default": "a"}}), "ExampleClient")

    assert derived["$defs"]["spec"]["properties"]["text"] == {
        "description": "Text.",
        "default": "a",
        "anyOf": [{"type": "string"}, {"$ref": "#/$defs/reference"}],
    }


def test_the_client_schema_stays_as_it_was():
    schema = client(properties={"texts": {"type": "array", "items": TEXT}})

    derive(schema, "ExampleClient")

    assert schema["properties"]["texts"]["items"] is TEXT


def test_examples_say_nothing_of_what_is_valid_and_those_of_a_secret_are_left_out():
    secret = {**TEXT, "examples": ["hunter2"], "x-reconciler": {"secret": True}}
    schema = client(properties={"text": {**TEXT, "examples": ["a", 1]}, "secret": secret})

    spec = derive(schema, "ExampleClient")["$defs"]["spec"]

    assert spec["properties"]["text"]["anyOf"][0]["examples"] == ["a", 1]
    assert "examples" not in spec["properties"]["secret"]
    assert accepts(schema, {"text": "another"})
    assert not accepts(schema, {"text": 1})
