"""A schema's two validators: one says yes or no, the other why not."""

import math

import pytest
from support.vendors import schema

from reconciler.core.model import Problem, Secret, Source
from reconciler.validation.field_values import field_accepts
from reconciler.validation.validator import Validator


def test_a_valid_value_is_accepted_and_has_no_problems():
    validator = Validator({"type": "string"})

    assert validator.accepts("text")
    assert validator.problems("text") == []


def test_an_invalid_value_is_refused_and_the_problem_says_in_which_document():
    validator = Validator({"type": "string"})
    source = Source(path="clients/web.yaml", document=2)

    problems = validator.problems(5, source)

    assert not validator.accepts(5)
    assert problems == [
        Problem(
            source=source,
            pointer="",
            message="expected text, found the number 5",
            hint='write it in quotes, such as "5"',
        )
    ]


def test_what_is_no_json_is_refused_without_a_crash():
    validator = Validator({"type": "object"})

    assert not validator.is_plain({1: "a key that is a number"})
    assert validator.is_plain({"a": "b"})

    (problem,) = validator.problems({1: "a key that is a number"})

    assert problem.message == "this is not a JSON document"


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 10**400, "\ud800"])
def test_a_value_that_json_cannot_hold_is_refused_without_a_crash(value):
    validator = Validator({"properties": {"a": {"type": "array"}}})

    assert [problem.pointer for problem in validator.problems({"a": value})] == ["/a"]


def test_a_pattern_ends_where_the_text_ends_and_not_before_a_line_break():
    validator = Validator({"pattern": "^a$"})

    assert validator.problems("a") == []
    assert [problem.message for problem in validator.problems("a\n")] == [
        r'the text "a\n" does not match ^a$'
    ]


def test_what_only_the_fast_validator_refuses_is_still_told_with_its_place():
    validator = Validator({"properties": {"a/b": {"multipleOf": 3}}})

    (problem,) = validator.problems({"a/b": 1e300})

    assert (problem.pointer, problem.message) == ("/a~1b", "the value does not fit its schema")


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("access_token_ttl", 300, True),
        ("access_token_ttl", 301, False),
        ("name", None, True),
        ("name", Secret("web"), True),
        ("name", Secret("x" * 256), False),
        ("redirect_uris", [Secret("https://shop.example.com")], True),
        ("no_such_field", 1, False),
    ],
)
def test_a_body_takes_a_field_by_that_fields_schema_alone(field, value, taken):
    assert field_accepts(schema("boruta", "update"), field, value) is taken


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("name", "Orders", True),
        ("homepageUrl", None, True),
        ("redirectUris", [], True),
        ("accessTokenValiditySeconds", 1.5, False),
        ("scope", ["orders.read"], False),
    ],
)
def test_a_json_patch_takes_a_field_where_an_operation_may_set_or_remove_it(field, value, taken):
    assert field_accepts(schema("sailpoint", "update"), field, value) is taken


def test_the_schema_of_a_field_may_refer_to_the_definitions_of_its_body():
    body = {
        "$defs": {"size": {"maximum": 5}},
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/size"}},
    }

    assert field_accepts(body, "a", 5)
    assert not field_accepts(body, "a", 6)


def test_a_schema_may_be_given_as_its_text():
    validator = Validator('{"type": "object", "required": ["a"]}')

    assert validator.accepts({"a": 1})
    (problem,) = validator.problems({})
    assert "`a`" in problem.message
