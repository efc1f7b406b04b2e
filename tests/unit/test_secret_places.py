"""Secrets wherever a client schema may put them: sealed on both sides, and stated by a reference alone."""

from __future__ import annotations

import pytest
from support.given import field, provider
from support.nested_vendor import client_schema

from reconciler.core.model import Secret
from reconciler.core.secrets import reveal
from reconciler.provider import references
from reconciler.provider.descriptor import parse_provider
from reconciler.provider.errors import ErrorAnswer, remote_error
from reconciler.provider.manifest_schema import derive
from reconciler.provider.model import ChosenSecret, ErrorShape
from reconciler.provider.schema_limits import Unusable
from reconciler.provider.schema_refs import without_refs
from reconciler.provider.schema_views import is_secret_path
from reconciler.provider.secrets import (
    client_secret,
    other_secrets,
    seal,
    seal_stated,
    secret_in,
    stated_secret,
)
from reconciler.validation.validator import Validator
from reconciler.validation.vocabulary.descriptor import descriptor_faults
from reconciler.validation.vocabulary.fields import field_faults
from reconciler.validation.vocabulary.words import client_words

SECRET = {"type": "string", "x-reconciler": {"secret": True}}
TEXT = {"type": "string"}
# Each a field's schema, and a value of it in which every secret is "S3CRET".
PLACES = {
    "object": (
        {"type": "object", "properties": {"p": SECRET, "h": TEXT}},
        {"h": "a", "p": "S3CRET"},
    ),
    "deep": (
        {"type": "object", "properties": {"a": {"type": "object", "properties": {"p": SECRET}}}},
        {"a": {"p": "S3CRET"}},
    ),
    "list": (
        {"type": "array", "items": {"type": "object", "properties": {"p": SECRET}}},
        [{"p": "S3CRET"}],
    ),
    "texts": ({"type": "array", "items": SECRET}, ["S3CRET", "S3CRET"]),
    "tuple": (
        {"type": "array", "prefixItems": [TEXT, SECRET], "items": SECRET},
        ["a", "S3CRET", "S3CRET"],
    ),
    "additional": ({"type": "object", "additionalProperties": SECRET}, {"x": "S3CRET"}),
    "pattern": (
        {"type": "object", "patternProperties": {"^s_": SECRET}, "additionalProperties": TEXT},
        {"s_a": "S3CRET", "b": "a"},
    ),
    "unevaluated": ({"type": "object", "unevaluatedProperties": SECRET}, {"x": "S3CRET"}),
    "ref": ({"$ref": "#/$defs/mail"}, {"p": "S3CRET", "h": "a"}),
    "ref with more": (
        {"$ref": "#/$defs/mail", "properties": {"q": SECRET}},
        {"p": "S3CRET", "q": "S3CRET", "h": "a"},
    ),
    "ref beside": (
        {
            "type": "object",
            "properties": {"p": {"$ref": "#/$defs/text", "x-reconciler": {"secret": True}}},
        },
        {"p": "S3CRET"},
    ),
    "all": (
        {"type": "object", "allOf": [{"properties": {"p": TEXT}}, {"properties": {"p": SECRET}}]},
        {"p": "S3CRET"},
    ),
    "any": (
        {"anyOf": [{"type": "object", "properties": {"p": SECRET}}, {"type": "null"}]},
        {"p": "S3CRET"},
    ),
    "one": (
        {"oneOf": [{"type": "object", "properties": {"p": SECRET}}, {"type": "integer"}]},
        {"p": "S3CRET"},
    ),
    "then": (
        {"type": "object", "if": {"required": ["p"]}, "then": {"properties": {"p": SECRET}}},
        {"p": "S3CRET"},
    ),
    "dependent": (
        {"type": "object", "dependentSchemas": {"h": {"properties": {"p": SECRET}}}},
        {"h": "a", "p": "S3CRET"},
    ),
    "whole": (
        {"type": "object", "properties": {"h": TEXT}, "x-reconciler": {"secret": True}},
        {"h": "S3CRET"},
    ),
    "bare": (
        {"type": "object", "properties": {"p": {"x-reconciler": {"secret": True}}}},
        {"p": "S3CRET"},
    ),
}


def described(schema, **facts):
    client = client_schema(
        {"name": {**TEXT, "description": ""}, "f": {"description": "", **schema}}
    )
    client["$defs"] = {
        "mail": {"type": "object", "properties": {"p": SECRET, "h": TEXT}},
        "text": TEXT,
    }
    return provider_of(without_refs(client), **facts)


def provider_of(client, **facts):
    descriptor = {
        "name": "n",
        "title": "N",
        "clientKind": "NestedClient",
        "collection": "/c",
        "endpoints": {
            "create": {"method": "POST", "expect": [201]},
            "read": {"method": "GET", "path": "/{id}", "expect": [200]},
            "update": {"method": "PUT", "path": "/{id}", "expect": [200], "style": "put-full"},
        },
        "identity": {"pointer": "/id"},
        "token": {},
        "errors": {"documented": False},
        **facts,
    }
    return parse_provider(descriptor, client, client, client)


def swapped(value, old, new):
    if isinstance(value, dict):
        return {name: swapped(member, old, new) for name, member in value.items()}
    if isinstance(value, list):
        return [swapped(item, old, new) for item in value]
    return new if value == old else value


each_place = pytest.mark.parametrize(("schema", "value"), PLACES.values(), ids=PLACES)


@each_place
def test_a_secret_in_an_answer_is_sealed(schema, value):
    sealed = seal(described(schema), {"f": value})

    assert "S3CRET" not in repr(sealed)
    assert reveal(sealed) == {"f": value}
    # Each secret, and nothing else.
    assert repr(sealed).count("(secret)") == repr(value).count("S3CRET")


@each_place
def test_a_secret_that_is_stated_is_sealed(schema, value):
    sealed = seal_stated(described(schema), {"f": value, "name": "n"})

    assert "S3CRET" not in repr(sealed)
    assert reveal(sealed) == {"f": value, "name": "n"}


@each_place
def test_a_manifest_states_a_secret_by_a_reference_alone(schema, value):
    of = described(schema)
    judge = Validator(derive(of.client_schema, "NestedClient"))
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "NestedClient",
        "metadata": {"name": "web", "target": "mine"},
    }
    stated = swapped(value, "S3CRET", {"env": "NAME"})

    assert judge.problems({**document, "spec": {"name": "n", "f": stated}}) == []
    assert judge.problems({**document, "spec": {"name": "n", "f": value}})
    found = references.find({"f": stated}, of)
    assert len(found) == repr(value).count("S3CRET")
    resolved = references.substitute(
        {"f": stated}, {pointer: Secret("S3CRET") for pointer, _ in found}
    )
    assert reveal(resolved) == {"f": value}


@each_place
def test_an_error_that_repeats_a_secret_is_masked(schema, value):
    answer = ErrorAnswer(
        target="t", method="PUT", path="/c/1", status=422, body={"sent": {"f": value}}
    )

    assert "S3CRET" not in str(remote_error(described(schema), answer))


@each_place
def test_a_literal_secret_in_a_file_is_masked_where_a_problem_shows_its_line(schema, value):
    def paths(inner, path):
        if isinstance(inner, dict | list):
            members = inner.items() if isinstance(inner, dict) else enumerate(inner)
            for name, member in members:
                yield from paths(member, (*path, str(name)))
        elif inner == "S3CRET":
            yield path

    client = described(schema).client_schema
    assert all(is_secret_path(client, path) for path in paths(value, ("f",)))
    assert not is_secret_path(client, ("name",))
    assert not is_secret_path(client, ("nowhere", "else"))


def test_what_no_schema_describes_is_sealed_by_its_name():
    body = {
        "webhook_secret": "a",
        "apiKey": "b",
        "private_key": {"d": "c"},
        "credentials": ["d"],
        "token_lifetime": 60,
        "token_enabled": True,
        "access_token": "",
        "logo_uri": "l",
        "deep": [{"password": "e", "x": "y"}],
    }

    sealed = seal(provider(field("name")), body)

    assert sealed == {
        **body,
        "webhook_secret": Secret("a"),
        "apiKey": Secret("b"),
        "private_key": Secret({"d": "c"}),
        "credentials": Secret(["d"]),
        "deep": [{"password": Secret("e"), "x": "y"}],
    }


def test_a_pattern_that_cannot_be_read_hides_rather_than_shows():
    of = provider(field("f", schema={"patternProperties": {"^(?<a": SECRET}}))

    assert seal(of, {"f": {"x": "S3CRET"}}) == {"f": {"x": Secret("S3CRET")}}


def test_a_mask_that_the_schema_names_is_no_secret():
    of = provider(
        field("secret", secret=True, schema={"x-reconciler": {"secret": True, "mask": ["set"]}})
    )

    assert seal(of, {"secret": "set"}) == {"secret": Secret("set", masked=True)}
    assert secret_in(of, seal(of, {"secret": "set"})) is None
    assert secret_in(of, seal(of, {"secret": "<redacted>"})) is None
    assert secret_in(of, seal(of, {"secret": "real"})) == Secret("real")


ISSUED = {"description": "", **SECRET, "readOnly": True}
STATED = {"description": "", **SECRET}


@pytest.mark.parametrize(
    ("properties", "facts", "pointer"),
    [
        ({"pin": STATED}, {}, "/pin"),
        ({"registration_access_token": ISSUED, "client_secret": ISSUED}, {}, "/client_secret"),
        ({"token": ISSUED, "Secret": ISSUED}, {}, "/Secret"),
        ({"token": ISSUED, "key": ISSUED}, {}, ""),
        ({"token": ISSUED, "key": ISSUED}, {"secret": "/key"}, "/key"),
        ({"token": ISSUED, "key": STATED}, {"rotate": {"style": "set", "field": "key"}}, "/key"),
        (
            {"login": {"description": "", "properties": {"client_secret": ISSUED}}},
            {},
            "/login/client_secret",
        ),
        (
            {
                "login": {
                    "description": "",
                    "readOnly": True,
                    "properties": {"a": {"properties": {"b": SECRET}}},
                }
            },
            {},
            "/login/a/b",
        ),
        ({"mail": {"description": "", "properties": {"password": SECRET}}}, {}, ""),
        ({"name": {"description": ""}}, {}, ""),
        (
            {"mail": {"description": "", "properties": {"secret": SECRET}}, "secret": ISSUED},
            {},
            "/secret",
        ),
    ],
)
def test_the_secret_that_a_client_logs_in_with_is_one(properties, facts, pointer):
    assert client_secret(provider_of({"properties": properties}, **facts)) == pointer


def test_each_secret_is_told_from_the_others():
    of = provider_of(
        {
            "properties": {
                "registration_access_token": ISSUED,
                "client_secret": ISSUED,
                "mail": {"description": "", "properties": {"password": SECRET, "issued": ISSUED}},
            }
        }
    )
    body = seal(
        of,
        {
            "registration_access_token": "r",
            "client_secret": "c",
            "mail": {"password": "p", "issued": "i"},
        },
    )

    assert secret_in(of, body) == Secret("c")
    assert dict(other_secrets(of, body)) == {
        "registration_access_token": Secret("r"),
        "mail.issued": Secret("i"),
    }
    assert dict(other_secrets(of, seal(of, {"registration_access_token": "****"}))) == {}
    # A password for mail is not the client's own secret, which is stored all the same.
    assert stated_secret(of, {"mail": {"password": Secret("p")}}) is None
    assert stated_secret(of, {"client_secret": Secret("p")}) == "client_secret"
    assert stated_secret(provider(field("name")), {"name": "a"}) is None
    assert secret_in(provider(field("name")), {"name": "a"}) is None


def test_a_rotated_field_is_the_clients_own():
    of = provider(field("a", secret=True), field("b", secret=True), rotate=ChosenSecret(field="b"))

    assert client_secret(of) == "/b"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("mail.password", False),
        ("/mail/password", False),
        ("mail[password]", False),
        ("mail.host", True),
        ("f", True),
    ],
)
def test_a_message_on_a_secret_inside_a_field_is_not_quoted(name, shown):
    of = provider(
        field("mail", schema={"properties": {"password": SECRET, "host": {}}}),
        errors=ErrorShape(fields="/errors", speaks_on=frozenset({422})),
    )
    body = {"errors": {name: ["'quoted' is not good"]}}
    answer = ErrorAnswer(target="t", method="PUT", path="/c", status=422, body=body)

    assert ("quoted" in str(remote_error(of, answer))) is shown


def test_a_message_that_is_an_object_is_masked_inside():
    of = provider(
        field("mail", schema={"properties": {"password": SECRET}}),
        errors=ErrorShape(fields="/errors", speaks_on=frozenset({422})),
    )
    body = {"errors": {"mail": {"password": "quoted", "host": "shown"}, "name": "plain"}}
    answer = ErrorAnswer(target="t", method="PUT", path="/c", status=422, body=body)

    assert "quoted" not in str(remote_error(of, answer))
    assert "shown" in str(remote_error(of, answer))


@pytest.mark.parametrize(
    ("schema", "pointer", "words"),
    [
        ({"properties": {"a": {"$ref": "other.json"}}}, "/properties/a", "only a pointer"),
        (
            {"properties": {"a": {"$ref": "#/$defs/none"}}, "$defs": {}},
            "/properties/a",
            "points to nothing",
        ),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/n"}},
                "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}}}},
            },
            "/$defs/n/properties/next",
            "holds itself",
        ),
        (
            {"properties": {"a": {"items": [{"$ref": "#anchor"}]}}},
            "/properties/a/items/0",
            "only a pointer",
        ),
    ],
)
def test_a_ref_that_cannot_be_put_in_place_is_named(schema, pointer, words):
    with pytest.raises(Unusable, match=words) as refused:
        without_refs(schema)

    assert refused.value.pointer == pointer


def test_a_ref_is_put_in_place_with_what_stands_beside_it():
    schema = {
        "properties": {
            "a": {"$ref": "#/$defs/s", "description": "mine", "x-reconciler": {"message": "m"}},
            "b": {"$ref": "#/$defs/s", "type": "integer", "allOf": [{"maxLength": 3}]},
            "c": {"enum": [{"$ref": "data"}]},
            "$ref": {"type": "string"},
        },
        "$defs": {"s": {**SECRET, "description": "theirs"}, "t": True},
    }

    found = without_refs(schema)

    assert found["properties"] == {
        "a": {
            "type": "string",
            "description": "mine",
            "x-reconciler": {"secret": True, "message": "m"},
        },
        "b": {
            "type": "integer",
            "allOf": [{**SECRET, "description": "theirs"}, {"maxLength": 3}],
            "x-reconciler": {"secret": True},
        },
        "c": {"enum": [{"$ref": "data"}]},
        "$ref": {"type": "string"},
    }
    assert "$defs" not in found
    assert without_refs({"a": 1}) == {"a": 1}


def faults(properties, *, stated=None, **facts):
    client = {"properties": properties}
    of, written = provider_of(client, **facts), stated or client
    found = (*client_words(written), *field_faults(of, written), *descriptor_faults(of))
    return [message for _, message in dict.fromkeys(found)]


F = {"description": ""}


@pytest.mark.parametrize(
    ("properties", "facts", "words"),
    [
        (
            {"a": {**F, "items": {"properties": {"p": SECRET}}, "x-reconciler": {"set": True}}},
            {},
            "inside the members of `a`",
        ),
        (
            {
                "a": {
                    **F,
                    "items": {"properties": {"p": SECRET}},
                    "x-reconciler": {"compareBy": ["k"]},
                }
            },
            {},
            "`compareBy` finds",
        ),
        (
            {"a": {**F, "items": TEXT, "x-reconciler": {"set": True, "secret": True}}},
            {},
            "is no set",
        ),
        ({"a": {**F, "x-reconciler": {"secert": True}}}, {}, "did you mean `secret`"),
        ({"a": {**F, "x-reconciler": {"zzzzzzz": True}}}, {}, "unknown word `zzzzzzz`"),
        ({"a": {**F, "x-reconciler": {"secret": "yes"}}}, {}, "is true or false"),
        (
            {"a": {**F, "properties": {"b": {"x-reconciler": {"createOnly": True}}}}},
            {},
            "not of what is inside one",
        ),
        (
            {"a": {**F, "anyOf": [{"properties": {"b": {"x-reconciler": {"whenInvalid": "c"}}}}]}},
            {},
            "not of what is inside",
        ),
        (
            {"a": {**F, "items": {"x-reconciler": {"updateOnly": True}}}},
            {},
            "not of what is inside one",
        ),
        ({"a": {**STATED, "x-reconciler": {"secret": True, "mask": "x"}}}, {}, "list of texts"),
        ({"a": {**F, "x-reconciler": {"mask": ["x"]}}}, {}, "`secret: true` is missing"),
        ({"a": ISSUED, "b": ISSUED}, {}, "which of them a client logs in with"),
        ({"a": ISSUED}, {"secret": "/nothing"}, "points to no secret"),
        (
            {"a": ISSUED, "m": {**F, "properties": {"x": TEXT}}},
            {"secret": "/m/x"},
            "points to no secret",
        ),
        ({"a": F}, {"identity": {"pointer": "/id", "match": "nome"}}, "no field `nome`"),
        ({"a": F}, {"identity": {"pointer": "/id", "recognize": ["b"]}}, "no field `b`"),
        ({"a": ISSUED}, {"identity": {"pointer": "/a"}}, "an id is shown"),
    ],
)
def test_what_is_asked_for_and_not_done_is_refused(properties, facts, words):
    found = faults(properties, **facts)

    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    "stated",
    [
        {"properties": {"a": F}, "additionalProperties": SECRET},
        {"properties": {"a": F}, "patternProperties": {"^s_": SECRET}},
        {"properties": {"a": F}, "allOf": [{"if": {}, "then": {"properties": {"a": SECRET}}}]},
    ],
)
def test_a_secret_that_stands_beside_the_properties_of_a_client_is_refused(stated):
    (found,) = faults({"a": F}, stated=stated)

    assert "stands below `properties`" in found


@pytest.mark.parametrize(
    ("properties", "facts"),
    [
        ({"a": ISSUED, "m": {**F, "properties": {"x": SECRET}}}, {"secret": "/a"}),
        ({"m": {**F, "properties": {"x": {**SECRET, "readOnly": True}}}}, {"secret": "/m/x"}),
        (
            {
                "a": {
                    **F,
                    "properties": {
                        "x": {
                            **SECRET,
                            "x-reconciler": {
                                "secret": True,
                                "mask": ["m"],
                                "keptWhenLeftOut": True,
                            },
                        }
                    },
                }
            },
            {},
        ),
        ({"a": {**F, "enum": [{"x-reconciler": {"odd": 1}}], "items": True}}, {}),
        ({"a": F}, {"identity": {"pointer": "/id", "match": "a", "recognize": ["a"]}}),
    ],
)
def test_what_is_done_is_not_refused(properties, facts):
    assert faults(properties, **facts) == []


def test_an_extension_that_is_no_object_and_a_definition_are_looked_at():
    (found,) = faults({"a": F}, stated={"properties": {"a": {**F, "x-reconciler": True}}})
    assert "is an object" in found
    (found,) = faults(
        {"a": F}, stated={"properties": {"a": F}, "$defs": {"d": {"x-reconciler": {"sekret": 1}}}}
    )
    assert "unknown word `sekret`" in found


def test_a_spec_that_states_no_secret_is_taken_as_it_is():
    spec = {"name": "n"}

    assert seal_stated(described(SECRET), spec) is spec


def test_what_stands_beside_the_properties_and_is_no_secret_is_not_refused():
    assert faults({"a": F}, stated={"properties": {"a": F}, "title": "A", "allOf": []}) == []
