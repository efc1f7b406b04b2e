"""How a descriptor says that a client gets a new secret."""

import pytest
import yaml
from support.vendors import SCHEMAS, schema, vendor

from reconciler.core.model import Source
from reconciler.manifests import catalog
from reconciler.provider.descriptor import parse_provider
from reconciler.provider.model import ChosenSecret, Endpoint, IssuedSecret
from reconciler.validation.validator import Validator

BODIES = [schema("boruta", body) for body in ("client", "create", "update")]


def descriptor(rotate=None):
    stated = yaml.safe_load((SCHEMAS / "boruta/provider.yaml").read_text("utf-8"))
    if rotate is not None:
        stated["rotate"] = rotate
    return stated


def problems(rotate):
    validator: Validator = catalog.validator("provider")
    found = validator.problems(descriptor(rotate), Source(path="provider.yaml"))
    return [(problem.pointer, problem.message) for problem in found]


def test_the_three_vendors_rotate_as_their_pages_say():
    assert vendor("provident").rotate == IssuedSecret(
        call=Endpoint(method="POST", path="/{id}/rotate-secret", expect=frozenset({200, 201}))
    )
    assert vendor("boruta").rotate == ChosenSecret(field="secret")
    assert vendor("sailpoint").rotate is None


@pytest.mark.parametrize("field", ["name", "not-there", "id"])
def test_the_field_that_the_tool_sets_has_to_be_a_secret_one(field):
    with pytest.raises(ValueError, match="no writable secret field"):
        parse_provider(descriptor({"style": "set", "field": field}), *BODIES)


def test_a_secret_that_only_the_server_writes_cannot_be_set():
    bodies = [schema("provident", body) for body in ("client", "create", "update")]
    stated = yaml.safe_load((SCHEMAS / "provident/provider.yaml").read_text("utf-8"))
    stated["rotate"] = {"style": "set", "field": "clientSecret"}

    with pytest.raises(ValueError, match="no writable secret field"):
        parse_provider(stated, *bodies)


@pytest.mark.parametrize(
    "rotate",
    [
        {"style": "set", "field": "secret"},
        {"style": "call", "method": "POST", "path": "/{id}/rotate", "expect": [200]},
    ],
)
def test_both_styles_are_accepted(rotate):
    assert problems(rotate) == []


@pytest.mark.parametrize(
    ("rotate", "problem"),
    [
        ({"style": "set"}, ("/rotate", "style set takes `field`, and no call")),
        (
            {"style": "set", "field": "secret", "path": "/x"},
            ("/rotate/path", "style set takes `field`, and no call"),
        ),
        (
            {"style": "call", "method": "POST", "path": "/x"},
            ("/rotate", "style call takes `method`, `path` and `expect`, and no field"),
        ),
        (
            {"style": "call", "method": "POST", "path": "/x", "expect": [200], "field": "secret"},
            ("/rotate/field", "style call takes `method`, `path` and `expect`, and no field"),
        ),
    ],
)
def test_what_belongs_to_the_other_style_is_refused(rotate, problem):
    assert problem in problems(rotate)
