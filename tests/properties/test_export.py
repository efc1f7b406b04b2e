"""Whatever a server shows of a client, its manifest is valid, and by it nothing about the client differs."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import shown, specs
from support.vendors import NAMES, vendor

from reconciler.core.model import LiveClient
from reconciler.manifests.writer import to_yaml
from reconciler.manifests.yaml.reader import read
from reconciler.plan.diff import compare
from reconciler.plan.export import export, keys
from reconciler.provider.manifest_schema import derive
from reconciler.provider.references import find
from reconciler.provider.secrets import seal
from reconciler.validation.validator import Validator

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
MEMBERS = st.sampled_from(["id", "name", "public", "type", "env", "file", "curve", "backend"])
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(MEMBERS, inner, max_size=3)
    ),
    max_leaves=6,
)


@cache
def judge(name):
    of = vendor(name)
    return Validator(derive(of.client_schema, of.kind))


def held(name, body, *, full):
    of = vendor(name)
    client = LiveClient(remote_id="1", body=seal(of, body))
    found = export(of, client, judge(name), key="web", target="shop", full=full)
    assert judge(name).accepts(found.document)
    assert compare(of, found.spec, client.body, key=b"") == ()
    assert find(found.spec, of) == ()
    assert list(found.spec) == [field for field in of.fields if field in found.spec]
    assert read(to_yaml(found.document).encode(), "web.yaml").documents == [found.document]
    return found


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_a_client_that_a_manifest_made_is_told_by_that_manifest(name, data):
    spec = data.draw(specs(name))

    found = held(name, shown(vendor(name), spec, "1"), full=True)

    assert found.notes == ()
    assert {field for field, value in spec.items() if value is not None} <= found.spec.keys()
    assert compare(vendor(name), spec, {**found.spec, **_read_as(name, found.spec)}, key=b"") == ()


def _read_as(name, spec):
    return {vendor(name).fields[field].read_as: value for field, value in spec.items()}


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_a_client_with_odd_values_is_told_as_far_as_a_manifest_can(name, data):
    fields = sorted(field.read_as for field in vendor(name).fields.values())
    odd = data.draw(st.dictionaries(st.sampled_from(fields), ODD, max_size=6))
    body = {**shown(vendor(name), data.draw(specs(name)), "1"), **odd}

    held(name, body, full=data.draw(st.booleans()))


@given(
    st.dictionaries(TEXT, st.one_of(st.none(), TEXT, st.just("Web")), max_size=8),
    st.sets(st.sampled_from(["web", "client", "client-2", "a", "0"])),
)
def test_every_client_gets_a_key_of_its_own_that_a_manifest_can_have(names, taken):
    of = vendor("boruta")
    fleet = [LiveClient(remote_id=one, body={"name": name}) for one, name in names.items()]

    found = keys(of, fleet, taken)

    assert found.keys() == names.keys()
    assert len(set(found.values())) == len(found)
    assert not set(found.values()) & taken
    for key in found.values():
        held_key = {"name": key, "target": "shop", "id": "1"}
        document = {"apiVersion": "reconciler/v1", "kind": of.kind, "spec": {}}
        assert judge("boruta").accepts({**document, "metadata": held_key})
