"""A descriptor and its schemas as a Provider."""

import pytest
import yaml
from support.vendors import NAMES, SCHEMAS, schema, vendor

from reconciler.core.model import MISSING
from reconciler.core.project import RateLimit
from reconciler.provider.descriptor import parse_provider
from reconciler.provider.model import (
    Clear,
    Endpoint,
    Identity,
    Pagination,
    Switch,
    TokenRequest,
    UpdateStyle,
)


def parsed(name, **overlay):
    descriptor = yaml.safe_load((SCHEMAS / name / "provider.yaml").read_text("utf-8"))
    bodies = (schema(name, body) for body in ("client", "create", "update"))
    return parse_provider(descriptor, *bodies, overlay=overlay)


def test_provident_has_neither_list_nor_delete_and_takes_whole_bodies():
    provident = vendor("provident")

    assert provident.kind == "ProvidentClient"
    assert (provident.list, provident.delete, provident.pagination) == (None, None, None)
    assert provident.style is UpdateStyle.PUT_FULL
    assert provident.identity == Identity(
        pointer="/clientId", match="name", recognize=("name", "redirectUris"), created="/createdAt"
    )
    assert provident.token == TokenRequest(path="/oauth2/token")
    assert not provident.errors.documented
    assert provident.request_id_header is None
    assert provident.rate_limit is None


def test_sailpoint_is_listed_in_pages_and_takes_json_patches():
    sailpoint = vendor("sailpoint")

    assert sailpoint.list == Endpoint(method="GET", expect=frozenset({200}))
    assert sailpoint.pagination == Pagination(
        limit_parameter="limit", offset_parameter="offset", page_size=250, documented=False
    )
    assert sailpoint.update.content_type == "application/json-patch+json"
    assert sailpoint.style is UpdateStyle.JSON_PATCH
    assert sailpoint.rate_limit == RateLimit(requests=100, seconds=10.0)
    assert sailpoint.errors.tracking == "/trackingId"
    assert sailpoint.request_id_header == "slpt-request-id"
    assert "personal access token" in sailpoint.errors.hints["403"]


def test_boruta_wraps_its_clients_and_takes_partial_bodies_that_always_hold_the_scopes():
    boruta = vendor("boruta")

    assert boruta.create == Endpoint(
        method="POST", expect=frozenset({201}), envelope="client", item="/data"
    )
    assert boruta.style is UpdateStyle.PUT_PARTIAL
    assert boruta.always == ("authorized_scopes",)
    assert boruta.identity.chosen
    assert boruta.token == TokenRequest(path=None, scope="clients:manage:all")
    assert boruta.errors.speaks_on == {401, 403, 422}
    assert boruta.errors.fields == "/errors"
    assert boruta.protected >= {"public client", "Boruta administration panel"}
    assert boruta.concurrency == 4


def test_what_is_true_of_a_field_is_read_from_beside_it():
    provident, sailpoint, boruta = map(vendor, ("provident", "sailpoint", "boruta"))

    assert provident.fields["ipRestriction"].read_as == "/ip_restriction"
    assert provident.fields["isActive"].update_only
    assert provident.fields["clientSecret"].secret
    assert provident.fields["clientSecret"].read_only
    assert provident.fields["updatedAt"].volatile
    assert provident.fields["tokenLifetimeSeconds"].default == 3600
    assert sailpoint.fields["scope"].immutable
    assert sailpoint.fields["scope"].is_set
    assert sailpoint.fields["name"].default is MISSING
    assert sailpoint.fields["homepageUrl"].equal == ((None, ""),)
    assert sailpoint.fields["homepageUrl"].clear == Clear(remove=True)
    assert sailpoint.fields["redirectUris"].clear == Clear(value=[])
    assert sailpoint.fields["name"].clear is None
    assert boruta.fields["authorized_scopes"].compare_by == ("id", "name")
    assert boruta.fields["metadata"].write_only
    assert boruta.fields["name"].default is None
    assert not any(field.create_only for field in boruta.fields.values())


def test_a_target_may_say_that_its_server_does_have_a_list_and_a_delete():
    endpoints = {
        "list": {
            "item": "/items",
            "pagination": {
                "style": "offset",
                "limitParameter": "size",
                "offsetParameter": "from",
                "pageSize": 10,
                "total": "/total",
            },
        },
        "delete": {},
    }

    provident = parsed("provident", endpoints=endpoints)

    assert provident.list == Endpoint(method="GET", expect=frozenset({200}), item="/items")
    assert provident.pagination == Pagination(
        limit_parameter="size", offset_parameter="from", page_size=10, total="/total"
    )
    assert provident.delete == Endpoint(method="DELETE", path="/{id}", expect=frozenset({204}))


def test_a_target_may_move_the_collection_and_change_one_thing_of_an_endpoint():
    sailpoint = parsed(
        "sailpoint", collection="/v2025/oauth-clients", endpoints={"create": {"expect": [201]}}
    )

    assert sailpoint.collection == "/v2025/oauth-clients"
    assert sailpoint.create == Endpoint(method="POST", expect=frozenset({201}))


def test_a_list_that_is_not_paged_says_so():
    endpoints = {"list": {"pagination": {"style": "none"}}}

    assert parsed("sailpoint", endpoints=endpoints).pagination is None


@pytest.mark.parametrize("name", ["provident", "sailpoint", "boruta"])
def test_the_schemas_stay_at_hand(name):
    provider = vendor(name)

    assert provider.client_schema == schema(name, "client")
    assert provider.create_schema == schema(name, "create")
    assert provider.update_schema == schema(name, "update")
    assert provider.fields.keys() == provider.client_schema["properties"].keys()


@pytest.mark.parametrize(("name", "field"), [("provident", "isActive"), ("sailpoint", "enabled")])
def test_a_vendor_that_can_disable_a_client_says_by_which_field(name, field):
    assert vendor(name).switch == Switch(field=field, off=False, on=True)


def test_boruta_cannot_disable_a_client():
    assert vendor("boruta").switch is None


def test_sailpoint_tells_when_a_client_was_created_and_last_used():
    identity = vendor("sailpoint").identity

    assert (identity.created, identity.last_used) == ("/created", "/lastUsed")
    assert identity.recognize == ("name", "redirectUris")


@pytest.mark.parametrize("field", ["nowhere", "createdAt"])
def test_a_switch_has_to_be_a_field_that_can_be_written(field):
    descriptor = yaml.safe_load((SCHEMAS / "provident/provider.yaml").read_text("utf-8"))
    bodies = [schema("provident", body) for body in ("client", "create", "update")]
    descriptor["switch"]["field"] = field

    with pytest.raises(ValueError, match="no writable field"):
        parse_provider(descriptor, *bodies)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_lost_create_is_recognised_by_is_sent_and_shown_and_no_secret(name):
    provider = vendor(name)

    for field in provider.identity.recognize:
        assert field in provider.create_schema["properties"]
        assert not provider.fields[field].write_only
        assert not provider.fields[field].secret
