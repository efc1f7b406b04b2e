"""The transcriptions of the vendors' bodies: valid schemas that take the pages' examples."""

import json
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest
import yaml
from support.vendors import NAMES, SCHEMAS, schema

from reconciler.validation.validator import Validator

EXAMPLES = Path(__file__).parent / "examples"
BODIES = sorted(EXAMPLES.glob("*/*/*.json"))
EXCHANGES = json.loads(
    (Path(__file__).parents[1] / "sandbox" / "boruta-exchanges.json").read_text("utf-8")
)
ALL = sorted(SCHEMAS.glob("**/*.schema.json"))


def below(node):
    yield node
    for child in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from below(child)


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(SCHEMAS)))
def test_every_schema_is_a_valid_schema_by_the_metaschema_it_names(path):
    document = json.loads(path.read_text("utf-8"))

    jsonschema.Draft202012Validator.check_schema(document)

    assert document["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    assert jsonschema_rs.meta.is_valid(document)


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(SCHEMAS)))
def test_every_schema_stands_alone_under_a_name_of_its_own(path):
    document = json.loads(path.read_text("utf-8"))
    named = path.relative_to(SCHEMAS).as_posix().removesuffix(".schema.json").replace("/", ":")

    references = [
        node["$ref"] for node in below(document) if isinstance(node, dict) and "$ref" in node
    ]

    assert document["$id"] == f"urn:reconciler:{named}"
    assert all(reference.startswith("#/$defs/") for reference in references)


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(SCHEMAS)))
def test_every_field_is_described(path):
    document = json.loads(path.read_text("utf-8"))

    for node in below(document):
        if (
            isinstance(node, dict)
            and node.get("type") == "object"
            and "additionalProperties" in node
        ):
            for name, field in node.get("properties", {}).items():
                referred = document.get("$defs", {}).get(
                    str(field.get("$ref", "")).rpartition("/")[2], {}
                )
                assert {**referred, **field}.get("description"), name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", ["client", "create", "update", "answer", "manifest"])
def test_every_vendor_schema_names_the_page_it_was_taken_from(name, body):
    assert schema(name, body)["$comment"].startswith("https://")


@pytest.mark.parametrize("name", NAMES)
def test_every_example_of_a_field_fits_the_field(name):
    nodes = [node for node in below(schema(name, "client")) if isinstance(node, dict)]
    with_examples = [node for node in nodes if "examples" in node]

    for node in with_examples:
        for example in node["examples"]:
            assert Validator(node).accepts(example), (node["examples"], example)
    assert with_examples


@pytest.mark.parametrize("path", BODIES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_every_example_body_of_the_pages_fits_its_schema(path):
    validator = Validator(schema(path.parts[-3], path.parts[-2]))

    assert validator.problems(json.loads(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", ["create", "update", "answer"])
def test_there_is_an_example_of_every_body(name, body):
    assert any((EXAMPLES / name / body).iterdir())


def answered(exchange):
    held = (exchange["response"]["body"] or {}).get("data", [])
    return held if isinstance(held, list) else [held]


def test_every_client_that_a_real_boruta_answered_fits_the_answer_schema():
    validator = Validator(schema("boruta", "answer"))
    clients = [client for exchange in EXCHANGES for client in answered(exchange)]

    assert len(clients) > 10
    assert [problem for client in clients for problem in validator.problems(client)] == []


def test_the_answer_schema_of_boruta_knows_every_member_that_a_real_one_answered():
    known = schema("boruta", "answer")["properties"]

    seen = {name for exchange in EXCHANGES for client in answered(exchange) for name in client}

    assert seen <= known.keys()


WRITES = [
    pytest.param(exchange, id=exchange["name"])
    for exchange in EXCHANGES
    if exchange["request"]["method"] in {"POST", "PUT"}
    and isinstance(exchange["request"]["body"], dict)
    and exchange["response"]["status"] != 404
]
# What only the server can know: which ids are taken, which providers exist, what it holds already.
UNKNOWABLE = {
    "create, id taken",
    "create, algorithm that does not fit the key",
    "update, unknown identity provider: 422 and yet the name is saved",
    "update, ttl the same",
}


@pytest.mark.parametrize("exchange", WRITES)
def test_the_request_schemas_of_boruta_take_what_a_real_one_took_and_refuse_what_it_refused(
    exchange,
):
    body = "create" if exchange["request"]["method"] == "POST" else "update"
    taken = exchange["response"]["status"] < 300

    verdict = Validator(schema("boruta", body)).accepts(exchange["request"]["body"]["client"])

    assert verdict == (taken != (exchange["name"] in UNKNOWABLE))


@pytest.mark.parametrize("name", NAMES)
def test_every_descriptor_fits_its_schema(name):
    descriptor = yaml.safe_load((SCHEMAS / name / "provider.yaml").read_text("utf-8"))
    validator = Validator(json.loads((SCHEMAS / "provider.schema.json").read_text("utf-8")))

    assert validator.problems(descriptor) == []
    assert descriptor["name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_every_client_schema_keeps_to_the_vocabulary(name):
    validator = Validator(json.loads((SCHEMAS / "client.schema.json").read_text("utf-8")))

    assert validator.problems(schema(name, "client")) == []


@pytest.mark.parametrize(
    ("members", "pointer", "message"),
    [
        (
            {"x-reconciler": {"imutable": True}},
            "/x-reconciler/imutable",
            "unknown field `imutable`",
        ),
        ({"x-reconciler": {"clear": {}}}, "/x-reconciler/clear", "must not be empty"),
        ({"items": True}, "/items", "expected a mapping, found true"),
        ({"description": ""}, "/description", "must not be empty"),
    ],
)
def test_a_client_schema_is_refused_for_what_is_not_in_the_vocabulary(members, pointer, message):
    validator = Validator(json.loads((SCHEMAS / "client.schema.json").read_text("utf-8")))
    client = schema("provident", "client")
    client["properties"]["name"] |= members

    (problem,) = validator.problems(client)

    assert (problem.pointer, problem.message) == (f"/properties/name{pointer}", message)


@pytest.mark.parametrize("name", NAMES)
def test_the_client_schema_knows_every_field_of_every_body(name):
    client = schema(name, "client")["properties"]
    spelt = {field.get("x-reconciler", {}).get("readAs", own) for own, field in client.items()}

    assert schema(name, "create")["properties"].keys() <= client.keys()
    assert schema(name, "update").get("properties", {}).keys() <= client.keys()
    assert schema(name, "answer")["properties"].keys() <= spelt


@pytest.mark.parametrize("name", NAMES)
def test_a_writable_field_is_taken_by_a_create_or_said_to_be_for_updates_only(name):
    client = schema(name, "client")["properties"]
    created = schema(name, "create")["properties"]

    for field, facts in client.items():
        if not facts.get("readOnly"):
            only_update = facts.get("x-reconciler", {}).get("updateOnly", False)
            assert (field in created) != only_update, field


def test_a_sailpoint_patch_reaches_every_field_that_is_not_immutable_and_no_other():
    validator = Validator(schema("sailpoint", "update"))

    for field, facts in schema("sailpoint", "client")["properties"].items():
        immutable = facts.get("x-reconciler", {}).get("immutable", False)
        patchable = not (facts.get("readOnly") or immutable) or field == "tenant"
        operation = {"op": "replace", "path": f"/{field}", "value": "x"}
        assert validator.accepts([operation]) == patchable, field


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/name", "value": None},
        {"op": "replace", "path": "/name", "value": 1.5},
        {"op": "replace", "path": "/name"},
        {"op": "merge", "path": "/name", "value": "x"},
        {"op": "replace", "path": "name", "value": "x"},
        {"path": "/name", "value": "x"},
    ],
)
def test_a_sailpoint_patch_is_held_to_what_the_spec_declares(operation):
    assert not Validator(schema("sailpoint", "update")).accepts([operation])
