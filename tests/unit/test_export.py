from __future__ import annotations

import pytest
from support.given import client, field, provider
from support.vendors import vendor

from reconciler.core.model import LiveClient, Secret
from reconciler.plan.export import export, keys, slug
from reconciler.provider.manifest_schema import derive
from reconciler.validation.validator import Validator

IDP = {"id": "44444444-4444-4444-8444-444444444444", "name": "Staff"}
BORUTA = {"id": "1", "name": "Web", "identity_provider": IDP}
SAILPOINT = {
    "id": "1",
    "name": "Web",
    "description": "The shop",
    "accessTokenValiditySeconds": 600,
    "grantTypes": ["CLIENT_CREDENTIALS"],
    "accessType": "ONLINE",
    "enabled": True,
    "scope": ["sp:read"],
}


def exported(name, body, **options):
    of = vendor(name)
    judge = Validator(derive(of.client_schema, of.kind))
    shown = LiveClient(remote_id="1", body=body)
    found = export(of, shown, judge, key="web", target="shop", **options)
    assert judge.accepts(found.document)
    return found


def reasons(found):
    return {note.field: note.reason for note in found.notes}


def test_a_manifest_states_what_was_given_to_the_client_in_the_order_of_its_schema():
    body = {
        "access_token_ttl": 300,
        **BORUTA,
        "pkce": True,
        "redirect_uris": ["https://b", "a://a"],
    }

    found = exported("boruta", body)

    assert found.document["metadata"] == {"name": "web", "target": "shop"}
    assert list(found.document) == ["apiVersion", "kind", "metadata", "spec"]
    assert list(found.spec.items()) == [
        ("name", "Web"),
        ("redirect_uris", ["a://a", "https://b"]),
        ("identity_provider", {"id": IDP["id"]}),
        ("pkce", True),
        ("access_token_ttl", 300),
    ]
    assert found.notes == ()


def test_no_secret_and_nothing_that_only_the_server_writes_is_stated():
    body = {**BORUTA, "secret": Secret("hunter2"), "public_key": "PEM", "did": None, "jwk": {}}

    assert set(exported("boruta", body, full=True).spec) == {"name", "identity_provider"}


def test_a_value_that_every_client_has_is_left_out_unless_all_are_wanted():
    body = {
        **BORUTA,
        "access_token_ttl": 86400,
        "public_client_id": None,
        "jwt_public_key": "",
        "authorized_scopes": [],
        "response_mode": "direct_post",
    }

    assert set(exported("boruta", body).spec) == {"name", "identity_provider"}
    assert exported("boruta", body, full=True).spec == {
        **{name: value for name, value in body.items() if name != "id"},
        "identity_provider": {"id": IDP["id"]},
    }


def test_a_null_that_is_not_what_every_client_has_is_stated():
    assert exported("boruta", {**BORUTA, "response_mode": None}).spec["response_mode"] is None


def test_a_null_that_no_manifest_takes_is_no_value():
    body = {**SAILPOINT, "refreshTokenValiditySeconds": None, "businessName": None}

    found = exported("sailpoint", body, full=True)

    assert "refreshTokenValiditySeconds" not in found.spec
    assert found.spec["businessName"] is None
    assert found.notes == ()


def test_a_required_field_is_stated_whatever_its_value():
    body = {
        "clientId": "1",
        "name": "Web",
        "redirectUris": [],
        "allowedScopes": [],
        "ipRestriction": True,
        "isActive": True,
    }

    found = exported("provident", body)

    assert found.spec == {
        "name": "Web",
        "redirectUris": [],
        "allowedScopes": [],
        "ipRestriction": True,
    }


def test_a_scope_is_called_by_its_name_where_that_is_its_alone():
    scopes = [
        {"id": "4", "name": "twin", "public": False},
        {"id": "3", "name": "twin", "public": False},
        {"id": "2", "name": None},
        {"id": "1", "name": "openid", "public": True},
    ]

    found = exported("boruta", {**BORUTA, "authorized_scopes": scopes})

    # Their ids are no UUIDs, which a schema's `format` only says and nobody checks.
    assert found.spec["authorized_scopes"] == [
        {"id": "2"},
        {"id": "3"},
        {"id": "4"},
        {"name": "openid"},
    ]
    assert found.notes == ()


def test_a_member_that_has_no_name_of_its_own_is_left_to_the_schema():
    found = exported("boruta", {**BORUTA, "authorized_scopes": [{"public": True}, "openid"]})

    assert "authorized_scopes" not in found.spec
    assert "authorized_scopes" in reasons(found)


def test_members_of_an_object_that_cannot_be_written_are_left_out():
    idp = {**IDP, "type": "internal", "backend": None}
    pair = {"type": "ec", "curve": "P-256", "modulus_size": None}

    found = exported("boruta", {**BORUTA, "identity_provider": idp, "key_pair_type": pair,
                                "id_token_signature_alg": "ES256"})  # fmt: skip

    assert found.spec["identity_provider"] == {"id": IDP["id"]}
    assert found.spec["key_pair_type"] == {"type": "ec", "curve": "P-256"}
    assert found.notes == ()


def test_a_value_that_no_manifest_may_state_is_left_out_with_a_note():
    body = {**BORUTA, "access_token_ttl": 100_000, "supported_grant_types": ["device_code"]}

    found = exported("boruta", body)

    assert set(found.spec) == {"name", "identity_provider"}
    assert "at most 86400" in reasons(found)["access_token_ttl"]
    assert "device_code" in reasons(found)["supported_grant_types"]


def test_where_a_needed_field_cannot_be_stated_the_id_binds_the_manifest():
    found = exported("sailpoint", {**SAILPOINT, "accessType": None, "scope": ["a", "a"]})

    assert found.document["metadata"] == {"name": "web", "target": "shop", "id": "1"}
    named = [note.field for note in found.notes]
    assert named == ["accessType", "metadata.id", "metadata.id", "scope"]
    assert "`accessType` is missing" in {note.reason for note in found.notes}


@pytest.mark.parametrize(
    ("shown", "stated"),
    [
        ({"description": None}, {"description": None}),
        ({"description": ""}, {"description": ""}),
        ({"scope": None}, None),
        ({"scope": []}, None),
        ({"scope": ["a b"]}, None),
        ({"scope": ["sp:scopes:all"]}, {"scope": ["sp:scopes:all"]}),
        ({"grantTypes": ["REFRESH_TOKEN"], "redirectUris": ["https://a"]}, None),
        ({"grantTypes": ["CLIENT_CREDENTIALS", "REFRESH_TOKEN"], "accessType": "OFFLINE"}, None),
        ({"grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN"], "redirectUris": None}, None),
        ({"grantTypes": ["PASSWORD"]}, None),
        ({"grantTypes": []}, {"grantTypes": []}),
        ({"name": None}, None),
        ({"accessTokenValiditySeconds": -1}, None),
    ],
)
def test_what_a_server_has_is_stated_or_told(shown, stated):
    found = exported("sailpoint", {**SAILPOINT, **shown})

    told = {note.field for note in found.notes}
    # What a new client could not be made with keeps the id, and a note says why.
    assert told == set() if stated else "metadata.id" in told
    assert ("id" in found.document["metadata"]) == (stated is None)
    if stated is not None:
        assert stated.items() <= found.spec.items()
    elif not found.spec.keys() & shown.keys():
        assert told & shown.keys()


def test_fields_that_do_not_fit_each_other_are_left_out():
    found = exported("sailpoint", {**SAILPOINT, "grantTypes": ["REFRESH_TOKEN"]})

    assert "grantTypes" not in found.spec
    assert "beside AUTHORIZATION_CODE" in reasons(found)["grantTypes"]


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, float("inf"), [{"a": 2**64}]])
def test_a_number_that_no_file_can_hold_is_left_out(value):
    found = exported("boruta", {**BORUTA, "access_token_ttl": value})

    assert "no file can hold" in reasons(found)["access_token_ttl"]


def test_a_server_cannot_have_a_reference_written_into_a_manifest():
    found = exported("boruta", {**BORUTA, "redirect_uris": [{"env": "AWS_SECRET_ACCESS_KEY"}]})

    assert "redirect_uris" not in found.spec
    assert "reference" in reasons(found)["redirect_uris"]


def test_a_value_that_a_plan_would_not_find_equal_is_left_out():
    inner = {"properties": {"by": {"readOnly": True}, "to": {}}}
    of = provider(field("routes", schema={"type": "array", "items": inner}), field("a/b"))
    body = client("1", routes=[{"to": 1, "by": "the server"}], **{"a/b": 1})

    found = export(of, body, Validator({}), key="web", target="shop")

    assert found.spec == {"a/b": 1}
    assert "whole" in reasons(found)["routes"]


def test_a_field_is_found_by_its_escaped_name():
    of = provider(field("a/b~c"), field("d"))
    judge = Validator({"properties": {"spec": {"properties": {"a/b~c": {"type": "string"}}}}})

    found = export(of, client("1", **{"a/b~c": 1, "d": 2}), judge, key="web", target="shop")

    assert found.spec == {"d": 2}


def test_a_key_that_no_manifest_can_have_is_refused():
    of = vendor("boruta")
    judge = Validator(derive(of.client_schema, of.kind))
    shown = LiveClient(remote_id="1", body=BORUTA)

    with pytest.raises(ValueError, match="a name is 1 to 63"):
        export(of, shown, judge, key="Not A Key", target="shop")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Storefront web", "storefront-web"),
        ("  Café (prod)  v1.2 ", "cafe-prod-v1.2"),
        ("../../etc/passwd", "etc-passwd"),
        ("日本", ""),
        ("x" * 62 + "-yz", "x" * 62),
        ("--_.", ""),
    ],
)
def test_a_key_is_the_name_in_small_letters(text, key):
    assert slug(text) == key


VENDOR = provider(field("name"))


def test_clients_of_one_name_and_of_none_are_called_by_their_ids():
    fleet = [
        client("id-1", name="Web"),
        client("id-2", name="web"),
        client("id-3", name="Orders"),
        client("id-4"),
        client("id-5", name="Taken"),
    ]

    found = keys(VENDOR, fleet, {"taken"})

    assert found == {
        "id-1": "id-1",
        "id-2": "id-2",
        "id-3": "orders",
        "id-4": "id-4",
        "id-5": "id-5",
    }
    assert keys(VENDOR, reversed(fleet), {"taken"}) == found


@pytest.mark.parametrize(
    "name",
    [
        *("CON", "COM1", "nul.txt", "Lpt9", "aux.v1.2", "com¹", "prn ", "c o n".replace(" ", "")),
        *("NUL.", "\uff23\uff2f\uff2e", "LPT0", "com²", "Aux!"),
    ],
)
def test_a_client_whose_name_windows_cannot_have_as_a_file_is_called_by_its_id(name):
    assert keys(VENDOR, [client("id-1", name=name)], ()) == {"id-1": "id-1"}


@pytest.mark.parametrize(
    ("remote_id", "key"), [("con", "client-con"), ("NUL.7", "client-nul.7"), ("日本", "client")]
)
def test_an_id_that_windows_cannot_have_either_is_prefixed(remote_id, key):
    assert keys(VENDOR, [client(remote_id, name="aux")], ()) == {remote_id: key}


def test_a_key_is_never_given_twice():
    fleet = [client("A"), client("a"), client("?"), client("b" * 70, name="a")]

    found = keys(VENDOR, fleet, {"a-2", "b" * 63})

    assert found == {"?": "client", "A": "a-3", "a": "a-4", "b" * 70: "a"}


def test_a_vendor_that_says_no_name_field_has_name():
    assert keys(vendor("boruta"), [client("1", name="Web")], ()) == {"1": "web"}


@pytest.mark.parametrize(
    ("uri", "stated", "words"),
    [
        ("https://app.example.com/cb ", False, "ends with a blank"),
        ("https://app.example.com/cb#x", False, "fragment"),
        ("https://##HOST##/cb", False, "placeholder"),
        ("https://*.example.com/cb", True, "wildcard"),
        ("http://app.example.com/cb", True, "plain http"),
    ],
)
def test_an_address_that_nobody_can_mean_is_told_and_holds_up_nothing(uri, stated, words):
    body = {**SAILPOINT, "redirectUris": ["https://a.example.com/cb", uri]}

    found = exported("sailpoint", body)

    assert ("redirectUris" in found.spec) is stated
    (told,) = [note for note in found.notes if note.field.startswith("redirectUris/")]
    assert words in told.reason
    assert found.spec["name"] == "Web"


def test_of_objects_that_differ_in_one_list_the_list_is_told_once():
    item = {"properties": {"name": {}, "by": {"readOnly": True}, "to": {}}}
    schema = {"type": "array", "items": item, "x-reconciler": {"compareBy": ["name"]}}
    of = provider(field("routes", schema=schema, compare_by=("name",), inside=True))
    routes = [{"name": name, "to": {"a": 1}, "by": "x"} for name in ("a", "b")]
    shown = client("1", routes=[*routes, *routes])

    found = export(of, shown, Validator({}), key="web", target="shop")

    assert found.spec == {}
    assert [note.field for note in found.notes] == ["routes"]
