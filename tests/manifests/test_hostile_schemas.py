"""A provider folder by a stranger: it has nothing fetched, nothing read beside it, and no run held up."""

import http.server
import json
import shutil
import threading

import pytest

from reconciler.core.errors import InputError
from reconciler.manifests import catalog
from reconciler.validation.explain import reference_validator
from reconciler.validation.field_values import field_accepts
from reconciler.validation.validator import Validator


@pytest.fixture
def asked():
    """The paths that a server on this machine was asked for, and its address."""
    paths = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield paths, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "mine"
    shutil.copytree(f"{catalog.schemas_folder()}/boruta", path)
    catalog._entry.cache_clear()  # noqa: SLF001 - the folder is another one in every test
    return path


def change(folder, body, **field):
    path = folder / f"{body}.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["properties"]["name"] = field
    path.write_text(json.dumps(schema), encoding="utf-8")


@pytest.mark.parametrize("body", ["client", "create", "update"])
@pytest.mark.parametrize(
    "field",
    [
        {"$ref": "ADDRESS/a.json"},
        {"$dynamicRef": "ADDRESS/a.json"},
        {"$schema": "ADDRESS/a.json"},
        {"$id": "ADDRESS/a/", "$ref": "b.json"},
        {"$ref": "../outside.json"},
        {"pattern": r"(a)\1"},
        {"anyOf": [{"patternProperties": {"(?=a)": {}}}]},
    ],
)
def test_each_schema_of_a_folder_is_looked_at_before_it_is_used(folder, asked, body, field):
    paths, address = asked
    change(folder, body, **json.loads(json.dumps(field).replace("ADDRESS", address)))

    with pytest.raises(InputError) as caught:
        catalog.entry("./mine", str(folder.parent))

    (problem,) = caught.value.problems
    assert problem.source.path == f"{folder}/{body}.schema.json"
    assert problem.pointer.startswith("/properties/name")
    assert f"({problem.pointer})" in problem.message
    assert paths == []


@pytest.mark.parametrize("body", ["client", "create", "update"])
@pytest.mark.parametrize(
    "field", [{"type": 5}, {"anyOf": {}}, {"minLength": -1}, {"properties": []}, {"required": "a"}]
)
def test_each_schema_of_a_folder_is_a_schema(folder, body, field):
    change(folder, body, **field)

    with pytest.raises(InputError) as caught:
        catalog.entry("./mine", str(folder.parent))

    assert [each.source.path for each in caught.value.problems] == [f"{folder}/{body}.schema.json"]


def test_a_copy_of_a_folder_that_comes_with_the_tool_is_taken(folder):
    assert catalog.entry("./mine", str(folder.parent)).kind == "BorutaClient"


@pytest.mark.parametrize("word", ["$ref", "$dynamicRef", "$schema"])
def test_neither_validator_fetches_what_a_schema_names(asked, word):
    paths, address = asked
    schema = {"type": "object", "properties": {"a": {word: f"{address}/a.json"}}}

    for judge in (
        lambda: Validator(schema).accepts({"a": 1}),
        lambda: Validator(schema).problems({"a": 1}),
        lambda: list(reference_validator(schema).iter_errors({"a": 1})),
        lambda: field_accepts(schema, "a", 1),
    ):
        try:
            judge()
        except Exception as error:  # noqa: BLE001 - each library has its own
            assert "a.json" in str(error)  # noqa: PT017 - and may raise none

    assert paths == []


@pytest.mark.parametrize("word", ["$ref", "$dynamicRef"])
def test_neither_validator_reads_a_file_that_a_schema_names(tmp_path, word):
    (tmp_path / "leak.json").write_text('{"const": "of another file"}', encoding="utf-8")
    schema = {"properties": {"a": {word: f"file://{tmp_path}/leak.json"}}}

    with pytest.raises(ValueError, match=r"leak\.json"):
        Validator(schema).accepts({"a": 1})
    with pytest.raises(Exception, match=r"leak\.json") as caught:
        list(reference_validator(schema).iter_errors({"a": 1}))
    assert "of another file" not in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^(a+)+$"}, "a" * 60 + "!"),
        ({"patternProperties": {"^(a+)+$": {"type": "string"}}}, {"aaa": 5}),
        (
            {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
            {"a" * 60: 1, "b": 1},
        ),
        (
            {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
            {"a" * 60 + "!": 1},
        ),
        ({"properties": {"b": {}}, "additionalProperties": {"type": "null"}}, {"a": 1, "b": 1}),
        (
            {"patternProperties": {"^(a+)+$": {}}, "unevaluatedProperties": False},
            {"a" * 60 + "!": 1},
        ),
        ({"prefixItems": [{}], "unevaluatedItems": False}, [1, 2]),
        ({"type": "null", "unevaluatedItems": False}, [1]),
        ({"uniqueItems": True}, [{"a": n % 4999} for n in range(5000)]),
        ({"uniqueItems": True}, [1, [True], [True]]),
        ({"items": {"enum": [f"a{n}" for n in range(15_000)]}}, ["a"] * 1000),
        ({"enum": [1, "1"]}, True),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}]),
    ],
)
def test_what_is_refused_is_explained_without_going_back_or_comparing_each_with_each(schema, value):
    assert not reference_validator(schema).is_valid(value)
    assert Validator(schema).problems(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}]),
        ({"uniqueItems": False}, [1, 1]),
        ({"uniqueItems": True, "additionalProperties": False, "patternProperties": {"a": {}}}, 5),
        ({"patternProperties": {"^a": {}}, "additionalProperties": False}, {"ab": 1}),
        ({"additionalProperties": True}, {"a": 1}),
        ({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, {"a": 1}),
        ({"pattern": "^a$"}, 5),
        ({"enum": [1, {"a": [True]}]}, {"a": [True]}),
        ({"enum": [1]}, 1.0),
    ],
)
def test_what_is_accepted_has_nothing_said_of_it(schema, value):
    assert reference_validator(schema).is_valid(value)
    assert Validator(schema).problems(value) == []
