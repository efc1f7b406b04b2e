"""What the explanation says of each keyword that a value can break, and of which it speaks first."""

import pytest

from reconciler.validation.validator import Validator


def told(schema, instance):
    problems = Validator(schema).problems(instance)
    return [(problem.pointer, problem.message, problem.hint) for problem in problems]


REFERENCE = {
    "title": "Reference",
    "type": "object",
    "properties": {"env": {"type": "string"}},
    "additionalProperties": False,
    "minProperties": 1,
}


@pytest.mark.parametrize(
    ("schema", "instance", "message", "hint"),
    [
        ({"minLength": 3}, "ab", "at least 3 characters are wanted, it has 2", ""),
        ({"maxLength": 1}, "ab", "at most 1 characters are wanted, it has 2", ""),
        ({"minItems": 2}, [1], "at least 2 members are wanted, it has 1", ""),
        ({"maxItems": 1}, [1, 2], "at most 1 members are wanted, it has 2", ""),
        ({"minProperties": 1}, {}, "must not be empty", ""),
        ({"maxProperties": 0}, {"a": 1}, "at most 0 members are wanted, it has 1", ""),
        ({"exclusiveMinimum": 0}, 0, "0 is out of range: more than 0", ""),
        ({"exclusiveMaximum": 9}, 9.5, "9.5 is out of range: less than 9", ""),
        ({"const": None}, [], "must be null, found a list", ""),
        ({"enum": [1, None, "a"]}, {}, "a mapping is not one of 1, null, a", ""),
        (
            {"enum": list(range(20))},
            20,
            f"the number 20 is not one of {', '.join(map(str, range(16)))}, ...",
            "",
        ),
        ({"uniqueItems": True}, [1, 1.0], "a value is listed twice", "leave one out"),
        ({"multipleOf": 2}, 3, "the value does not fit its schema: multipleOf", ""),
        ({"type": "array"}, {}, "expected a list, found a mapping", ""),
        ({"type": "string"}, [], "expected text, found a list", ""),
        ({"type": "number"}, "many", 'expected a number, found the text "many"', ""),
        ({"type": "boolean"}, "perhaps", 'expected true or false, found the text "perhaps"', ""),
        ({"type": "boolean"}, 1, "expected true or false, found the number 1", ""),
        ({"type": "array"}, 5, "expected a list, found the number 5", "write a list: [5]"),
        (
            {"type": "object"},
            None,
            "expected a mapping, found null",
            "give it a value, or leave it out",
        ),
        (
            {"dependentRequired": {"a": ["b", "c"], "d": ["e"]}},
            {"a": 1, "b": 2},
            "`a` needs `c` beside it",
            "",
        ),
        (False, 1, "the value does not fit its schema: nothing can stand here", ""),
    ],
)
def test_a_broken_rule_is_told_in_words(schema, instance, message, hint):
    wrapped = {"properties": {"field": schema}}

    assert told(wrapped, {"field": instance})[0][1:] == (message, hint)


def test_the_second_of_two_equal_members_is_pointed_at():
    schema = {"uniqueItems": True}

    assert told(schema, [{"a": 1}, "x", {"a": 1}]) == [
        ("/2", '{"a": 1} is listed twice', "leave one out")
    ]


def test_a_long_value_is_shortened_and_what_a_terminal_would_obey_is_spelt_out():
    ((_, message, _),) = told({"type": "null"}, "\x1b[2J" + "x" * 100)

    assert message == 'expected null, found the text "\\x1b[2J' + "x" * 53 + '..."'


def test_of_two_things_wrong_with_a_value_the_type_is_told():
    schema = {"properties": {"a": {"type": "string", "enum": ["x"], "minimum": 5}}}

    assert told(schema, {"a": 1}) == [("/a", "expected one of x, found the number 1", "")]


def test_what_is_wrong_with_a_value_itself_is_told_before_a_rule_between_fields():
    rule = {"then": {"properties": {"a": {"const": "y"}}, "x-reconciler": {"message": "rule"}}}
    schema = {"properties": {"a": {"enum": ["x", "y"]}}, "allOf": [{"if": {}, **rule}]}

    assert told(schema, {"a": "x"}) == [("/a", "rule", "")]
    assert told(schema, {"a": "z"}) == [("/a", 'the text "z" is not one of x, y', "")]


def test_a_rule_may_speak_for_a_whole_member_of_all_of():
    schema = {
        "allOf": [{"required": ["a", "b"], "x-reconciler": {"message": "a and b go together"}}]
    }

    assert told(schema, {}) == [("", "a and b go together", "")]


def test_a_field_that_is_missing_is_told_with_what_it_is_for():
    schema = {
        "properties": {"list": {"items": {"$ref": "#/$defs/one"}}},
        "$defs": {
            "one": {
                "required": ["a"],
                "properties": {"a": {"description": "One. Two. Three."}},
            }
        },
    }

    assert told(schema, {"list": [{}]}) == [("/list/0", "`a` is missing", "One. Two")]


def test_a_missing_field_that_looks_misspelt_is_told_once():
    schema = {"properties": {"name": {}}, "required": ["name"], "additionalProperties": False}

    assert told(schema, {"nmae": 1}) == [("/nmae", "unknown field `nmae`", "did you mean `name`?")]


def test_an_unknown_field_of_an_object_that_has_none_is_told_without_a_hint():
    assert told({"additionalProperties": False}, {"a": 1}) == [("/a", "unknown field `a`", "")]


def test_a_very_long_unknown_field_is_not_compared_with_known_ones():
    schema = {"properties": {"name": {}}, "additionalProperties": False}

    ((_, message, hint),) = told(schema, {"n" * 61: 1})

    assert (message, hint) == (f"unknown field `{'n' * 60}...`", "known here: name")


def test_an_unknown_field_is_sent_to_where_it_belongs_by_names_of_the_users_choice_too():
    target = {"properties": {"auth": {"properties": {"scope": {}}}}}
    schema = {
        "properties": {"targets": {"additionalProperties": target}},
        "additionalProperties": False,
    }

    assert told(schema, {"scope": 1}) == [
        ("/scope", "unknown field `scope`", "it belongs under /targets/*/auth")
    ]


def test_a_field_of_the_top_is_sent_there():
    schema = {
        "properties": {"kind": {}, "spec": {"properties": {}, "additionalProperties": False}},
    }

    ((_, _, hint),) = told(schema, {"spec": {"kind": 1}})

    assert hint == "it belongs under the top"


def test_a_field_that_lies_very_deep_is_not_searched_for():
    deep = {"needle": {}}
    for name in ("e", "d", "c", "b"):
        deep = {name: {"properties": deep}}
    schema = {"properties": deep, "additionalProperties": False}

    ((_, _, hint),) = told(schema, {"needle": 1})

    assert hint == "known here: b"


def test_a_member_that_a_pattern_allows_is_known():
    schema = {"patternProperties": {"^x-": {}}, "additionalProperties": False}

    assert [pointer for pointer, _, _ in told(schema, {"x-a": 1, "y": 1})] == ["/y"]


def test_a_name_that_cannot_be_one_is_told_at_the_name():
    schema = {"propertyNames": {"pattern": "^[a-z]+$"}}

    (problem,) = Validator(schema).problems({"A": 1})

    assert (problem.pointer, problem.message) == ("/A", "`A` cannot be a name here")
    assert problem.at_key


def test_a_member_that_cannot_stand_beside_the_others_is_told_at_its_name():
    schema = {"properties": {"a": {"not": {}}}}

    (problem,) = Validator(schema).problems({"a": 1})

    assert (problem.pointer, problem.message) == ("/a", "`a` cannot stand here")
    assert problem.at_key


def test_a_document_that_nothing_can_be_is_told_without_a_name():
    assert told({"not": {}}, 1) == [("", "the value does not fit its schema: not", "")]


def test_a_choice_is_told_as_the_branch_that_was_meant():
    schema = {
        "properties": {
            "a": {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/reference"}]}
        },
        "$defs": {"reference": REFERENCE},
    }

    assert told(schema, {"a": ""}) == [("/a", "must not be empty", "")]
    assert told(schema, {"a": []}) == [("/a", "expected text, found a list", "")]
    assert told(schema, {"a": {}}) == [
        ("/a", "a reference has exactly one form", "use {env: NAME} or {file: path}")
    ]


def test_a_choice_with_two_branches_that_both_hold_is_told_as_such():
    assert told({"oneOf": [{}, {}]}, 1) == [("", "the value does not fit its schema: oneOf", "")]
