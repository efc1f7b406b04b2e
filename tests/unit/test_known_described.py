"""What a folder of a user's own may say of names that its server makes or drops."""

from __future__ import annotations

import copy

import pytest
import yaml
from support.vendors import SCHEMAS, schema

from reconciler.provider.descriptor import parse_provider
from reconciler.provider.model import Known
from reconciler.validation.vocabulary.fields import field_faults


def read(**known):
    client = copy.deepcopy(schema("boruta", "client"))
    client["properties"]["authorized_scopes"]["x-reconciler"]["known"] = known
    descriptor = yaml.safe_load((SCHEMAS / "boruta" / "provider.yaml").read_text())
    bodies = (schema("boruta", body) for body in ("create", "update"))
    provider = parse_provider(descriptor, client, *bodies)
    return provider, [message for _, message in field_faults(provider, client)]


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ({"made": ["name"]}, Known(made=("name",))),
        ({"dropped": ["id"]}, Known(dropped=("id",))),
        ({"path": "/s", "made": ["name"]}, Known(path="/s", made=("name",))),
        (
            {"path": "/s", "item": "/data", "made": ["name"], "dropped": ["id"]},
            Known(path="/s", item="/data", made=("name",), dropped=("id",)),
        ),
        ({"made": ["name", "id"]}, Known(made=("name", "id"))),
    ],
)
def test_what_is_known_is_read(stated, known):
    provider, faults = read(**stated)

    assert provider.fields["authorized_scopes"].known == known
    assert faults == []


@pytest.mark.parametrize(
    ("stated", "word"),
    [
        ({}, "`made` and `dropped` of `known` name members, and only those of `compareBy`"),
        ({"path": "/s"}, "`made` and `dropped` of `known` name members"),
        ({"made": ["label"]}, "only those of `compareBy`"),
        ({"made": "name"}, "only those of `compareBy`"),
        ({"path": "scopes", "made": ["name"]}, "`path` of `known` begins with a slash"),
        ({"path": "https://x.example.com/s", "made": ["name"]}, "`path` of `known` begins with"),
        ({"made": ["name"], "drop": ["id"]}, "unknown word `drop` in `known`: did you mean"),
        ({"made": ["name"], "zzzz": 1}, "unknown word `zzzz` in `known`"),
    ],
)
def test_what_is_not_supported_is_one_clear_problem(stated, word):
    _, faults = read(**stated)

    assert len(faults) == 1
    assert word in faults[0]
