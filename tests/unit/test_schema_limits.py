"""What a schema may not ask for: other files, patterns without end, more than anybody could check."""

import pytest

from reconciler.provider.patterns import fault, matches
from reconciler.provider.schema_limits import MAX_PARTS, Unusable, check, check_work
from reconciler.provider.schema_refs import without_refs


def judge(schema):
    check(schema)
    check_work(without_refs(schema))


def refusal(schema):
    with pytest.raises(Unusable) as caught:
        judge(schema)
    return caught.value.pointer, str(caught.value)


def of_field(field, **more):
    return {"type": "object", "properties": {"a": field}, **more}


def nested(levels, word="unevaluatedProperties"):
    schema = {"type": "object"}
    for _ in range(levels):
        schema = {"allOf": [schema], word: False}
    return schema


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"$schema": "http://127.0.0.1:9/meta.json"}, "/$schema"),
        ({"$schema": "file:///etc/passwd"}, "/$schema"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema"),
        ({"$schema": 5}, "/$schema"),
        (of_field({"$schema": "../other.json"}), "/properties/a/$schema"),
        (of_field({"$dynamicRef": "http://127.0.0.1:9/a.json"}), "/properties/a/$dynamicRef"),
        (of_field({"$dynamicRef": "#meta"}), "/properties/a/$dynamicRef"),
        (of_field({"$dynamicAnchor": "meta"}), "/properties/a/$dynamicAnchor"),
        (of_field({"$recursiveRef": "#"}), "/properties/a/$recursiveRef"),
        (of_field({"$id": "http://127.0.0.1:9/"}), "/properties/a/$id"),
        (of_field({"not": {"$id": "urn:a"}}), "/properties/a/not/$id"),
        (of_field({"anyOf": [True, {"$id": "b"}]}), "/properties/a/anyOf/1/$id"),
        ({"$defs": {"x/y": {"$id": "b"}}}, "/$defs/x~1y/$id"),
        ({"definitions": {"x": {"$id": "b"}}}, "/definitions/x/$id"),
        (of_field({"$ref": "http://127.0.0.1:9/a.json"}), "/properties/a"),
        (of_field({"$ref": "file:///etc/passwd"}), "/properties/a"),
        (of_field({"$ref": "../../outside.json#/a"}), "/properties/a"),
        (of_field({"$ref": "create.schema.json"}), "/properties/a"),
        (of_field({"$ref": "#a"}, **{"$defs": {"a": {"$anchor": "a"}}}), "/properties/a"),
        (of_field({"$ref": "//127.0.0.1:9/a"}), "/properties/a"),
        (of_field({"$ref": "\\\\host\\share"}), "/properties/a"),
    ],
)
def test_a_schema_names_nothing_outside_of_its_file(schema, pointer):
    assert refusal(schema)[0] == pointer


@pytest.mark.parametrize("name", ["default", "enum", "const", "examples", "$ref", "properties"])
def test_a_field_may_be_called_as_a_word_that_holds_data_is(name):
    schema = {"$defs": {"x": {"type": "string"}}, "properties": {name: {"$ref": "#/$defs/x"}}}

    assert without_refs(schema) == {"properties": {name: {"type": "string"}}}
    schema["properties"][name] = {"$ref": "http://127.0.0.1:9/a.json"}
    assert refusal(schema)[0] == f"/properties/{name}"


def test_a_field_may_be_called_as_a_word_is_and_a_value_may_look_like_one():
    words = ["$id", "$schema", "$dynamicRef", "pattern", "unevaluatedItems"]
    check({"properties": {word: {"type": "string"} for word in words}})
    check(of_field({"default": {"$id": "b", "pattern": "("}, "enum": [{"$dynamicRef": "c"}]}))
    check({"$schema": "https://json-schema.org/draft/2020-12/schema#", "$id": "https://a.example"})
    check({"allOf": 5, "properties": [], "items": True})


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^(a+)+$", "a" * 60 + "!"),
        ("^(a|aa)+$", "a" * 60 + "!"),
        ("^(a|a?)+$", "a" * 60 + "!"),
        ("(x+x+)+y", "x" * 60),
        ("^([a-zA-Z0-9])(([._-]?[a-zA-Z0-9]+)*)@", "a" * 60 + "!"),
        ("^(.*?,){30}P", "1," * 60),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 60),
        ("(.*)*=(.*)*!", "=" * 60),
        (r"^(\d+)*$", "1" * 60 + "x"),
    ],
)
def test_a_pattern_that_goes_back_without_end_elsewhere_is_matched_in_one_pass(pattern, text):
    assert fault(pattern) == ""
    assert not matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"^(?=(a+)+$)(a|aa)+\1$", "linear time"),
        ("(?!a)b", "linear time"),
        ("(?<=a)b", "linear time"),
        ("(?<!a)b", "linear time"),
        (r"(a)\1", "linear time"),
        (r"(?:a|(b))\1", "linear time"),
        ("(", "no regular expression"),
        ("a{2,1}", "no regular expression"),
        ("[b-a]", "no regular expression"),
        ("((a{1000}){1000}){1000}", "too large"),
        ("a{1,999999999}", "too large"),
    ],
)
def test_a_pattern_that_cannot_be_matched_in_linear_time_is_refused_at_its_place(pattern, why):
    for field in ({"pattern": pattern}, {"patternProperties": {pattern: {}}}):
        pointer, message = refusal(of_field({"anyOf": [{}, field]}))

        assert pointer == "/properties/a/anyOf/1"
        assert pattern in message
        assert why in message


def test_a_pattern_is_matched_by_ecma_262():
    assert matches("^a$", "a")
    assert not matches("^a$", "a\n")
    assert not matches(r"^\d$", "\u0663")
    assert not matches("a", "a\ud800")


def test_a_schema_has_a_bounded_number_of_patterns():
    def fields(count):
        return {"properties": {str(n): {"pattern": f"^{n % count}$"} for n in range(300)}}

    check(fields(250))
    assert "more than 250 different patterns" in refusal(fields(251))[1]


def doubling(word, levels):
    of = {"$ref": f"#/$defs/l{levels - 1}"}
    defs = {"l0": {"type": "integer"}}
    for level in range(1, levels):
        below = {"$ref": f"#/$defs/l{level - 1}"}
        defs[f"l{level}"] = (
            {word: [below, below]}
            if word in {"anyOf", "allOf"}
            else {word: {"a": below, "b": below}}
        )
    return of_field(of, **{"$defs": defs})


@pytest.mark.parametrize(
    ("word", "levels"),
    [("anyOf", 15), ("anyOf", 28), ("allOf", 15), ("properties", 16), ("patternProperties", 16)],
)
def test_references_that_double_a_schema_are_refused_after_a_bounded_number_of_parts(word, levels):
    pointer, message = refusal(doubling(word, levels))

    assert pointer.startswith("/$defs/l")
    assert "with its `$ref`s in place the schema" in message


def chained(levels):
    defs = {f"l{n}": {"items": {"$ref": f"#/$defs/l{n + 1}"}} for n in range(levels)}
    defs[f"l{levels}"] = {"type": "string"}
    return of_field({"$ref": "#/$defs/l0"}, **{"$defs": defs})


def deep(levels):
    schema = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (deep(100), "more than 64 levels deep"),
        (deep(100_000), "more than 64 levels deep"),
        (chained(80), "in place the schema is more than 64 levels deep"),
        (chained(2000), "in place the schema is more than 64 levels deep"),
        ({"enum": list(range(MAX_PARTS))}, "more than 20000 parts"),
        (of_field({"$ref": "#/properties/a"}), "holds itself"),
        (of_field({"$ref": "#/nowhere"}), "points to nothing"),
        (of_field(nested(20)), "nested so deep"),
        (of_field(nested(30, "unevaluatedItems")), "nested so deep"),
    ],
)
def test_a_schema_that_is_too_large_is_refused(schema, words):
    assert words in refusal(schema)[1]


def test_a_schema_of_a_usual_kind_is_within_its_bounds():
    judge(
        of_field(
            {"anyOf": [nested(3), {"$ref": "#/$defs/l3"}]},
            **{"$defs": doubling("anyOf", 6)["$defs"]},
        )
    )
