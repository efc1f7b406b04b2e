from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

SCHEMAS = Path(__file__).parents[2] / "schemas"
NAMES = [
    "BorutaClient",
    "ProvidentClient",
    "SailPointClient",
    "project",
    "provider",
    "plan",
    "report",
    "receipt",
    "inventory",
]


def test_without_a_name_the_schemas_are_listed(invoke: Callable[..., Result]):
    assert invoke("schema").stdout.split() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_schema_is_printed_and_is_one(name: str, invoke: Callable[..., Result]):
    done = invoke("schema", name)

    assert done.exit_code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def test_a_schema_of_a_kind_takes_a_manifest_of_that_kind(invoke: Callable[..., Result]):
    schema = json.loads(invoke("schema", "ProvidentClient").stdout)
    manifest = {
        "apiVersion": "reconciler/v1",
        "kind": "ProvidentClient",
        "metadata": {"name": "web", "target": "shop"},
        "spec": {"name": "Web", "redirectUris": [], "allowedScopes": []},
    }

    jsonschema.Draft202012Validator(schema).validate(manifest)


def test_a_folder_with_a_provider_of_ones_own_has_a_schema_too(invoke: Callable[..., Result]):
    done = invoke("schema", str(SCHEMAS / "boruta"))

    assert json.loads(done.stdout)["title"] == "BorutaClient"


def test_an_unknown_schema_is_wrong_usage_and_the_known_ones_are_named(
    invoke: Callable[..., Result],
):
    done = invoke("schema", "AcornClient")

    assert done.exit_code == 64
    assert "'AcornClient' is none of BorutaClient, ProvidentClient" in done.stderr


def test_the_providers_are_a_table(invoke: Callable[..., Result]):
    rows = [line.split() for line in invoke("providers").stdout.splitlines()]

    assert rows[1:] == [
        ["boruta", "BorutaClient", "yes", "yes", "put-partial", "key_pair_type"],
        ["provident", "ProvidentClient", "no", "no", "put-full", "-"],
        ["sailpoint", "SailPointClient", "yes", "yes", "json-patch", "internal,", "scope,", "type"],
    ]


def test_the_providers_are_told_to_machines_in_full(invoke: Callable[..., Result]):
    boruta, provident, sailpoint = json.loads(invoke("providers", "--format", "json").stdout)

    assert boruta["idChosen"] is True
    assert boruta["protected"] == ["public client"]
    assert "jwk" in boruta["neverShown"]
    assert boruta["rateLimit"] is None
    assert provident["list"] is provident["delete"] is False
    assert provident["setAfterCreate"] == ["isActive"]
    assert (provident["rotate"], boruta["rotate"], sailpoint["rotate"]) == (True, True, False)
    assert sailpoint["rateLimit"] == {"requests": 100, "seconds": 10}
    assert sailpoint["replacedBy"] == ["internal", "scope", "type"]
    assert sailpoint["docs"].startswith("https://")
