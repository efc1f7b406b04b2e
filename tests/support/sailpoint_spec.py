"""Holds what is sent to a SailPoint, and what it answers, against the vendor's own specification."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from reconciler.sandbox.world import RecordedRequest

SPEC: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "schemas/vendors/sailpoint-oauth-clients.json").read_text("utf-8")
)
# The list declares `filters` alone; these are the vendor's general guide's.
PAGING = {"limit", "offset"}
# https://developer.sailpoint.com/docs/api/v2025/patch-oauth-client, "The following fields are patchable".
PATCHABLE = {
    *("tenant", "businessName", "homepageUrl", "name", "description", "accessType", "enabled"),
    *("accessTokenValiditySeconds", "refreshTokenValiditySeconds", "redirectUris", "grantTypes"),
    *("strongAuthSupported", "claimsSupported"),
}
# Of a gateway in front of the vendor, and of what the vendor does not have.
NOT_ITS_OWN = {405, 501, 502, 503, 504}
_RFC_3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
_OLD_PATH = re.compile(r"^/(v3|beta|v2024|v2025|v2026)/oauth-clients")


def operation_of(exchange: RecordedRequest) -> dict[str, Any]:
    """The operation that a request asks for. KeyError where the specification has none."""
    path = _OLD_PATH.sub("/oauth-clients/v1", exchange.path.removeprefix("/sailpoint"))
    place = re.sub(r"^(/oauth-clients/v1)/[^/]+$", r"\1/{id}", path)
    return SPEC["operations"][f"{exchange.method} {place}"]


def hold_request(exchange: RecordedRequest) -> None:
    """Hold a request against its operation: its query, its content type, its body."""
    stated = operation_of(exchange)
    asked = {pair.partition("=")[0] for pair in exchange.query.split("&")} - {""}
    assert asked <= {*stated["query"], *(PAGING if "filters" in stated["query"] else ())}
    if "request" not in stated:
        assert exchange.body == b""
        return
    ((content_type, schema),) = stated["request"].items()
    assert exchange.content_type == content_type
    sent = json.loads(exchange.body)
    strict(schema).validate(sent)
    for each in sent if isinstance(sent, list) else ():
        assert each["path"].split("/")[1] in PATCHABLE
        assert each["op"] == "remove" or "value" in each


def hold_answer(exchange: RecordedRequest) -> None:
    """Hold the answer against its operation, unless a fault made it in the vendor's place."""
    if exchange.status is None or exchange.status in NOT_ITS_OWN:
        return
    stated = operation_of(exchange)["answers"][str(exchange.status)]
    content = SPEC["errors"][stated] if isinstance(stated, str) else stated
    if not content:
        assert exchange.answer == b""
        return
    (schema,) = content.values()
    strict(schema).validate(json.loads(exchange.answer))


def is_about_clients(exchange: RecordedRequest) -> bool:
    """Whether a request is one that the specification speaks of, and no token request."""
    return exchange.vendor == "sailpoint" and not exchange.path.endswith("/token")


def strict(schema: dict[str, Any]) -> Draft202012Validator:
    """What judges by an OpenAPI 3.0 schema, and takes no member that it does not name."""
    return _judge(json.dumps(schema))


@cache
def _judge(schema: str) -> Draft202012Validator:
    converted = converted_schema(json.loads(schema))
    Draft202012Validator.check_schema(converted)
    return Draft202012Validator(converted)


def converted_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI 3.0 schema as JSON Schema: `nullable` is a type, int32 a range; members are closed."""
    found = {word: value for word, value in schema.items() if word not in ("nullable", "format")}
    if "type" in schema and schema.get("nullable"):
        found["type"] = [schema["type"], "null"]
    if schema.get("format") == "int32":
        found |= {"minimum": -(2**31), "maximum": 2**31 - 1}
    elif "format" in schema:
        assert schema["format"] == "date-time", schema
        found["pattern"] = _RFC_3339
    if "properties" in schema:
        members = schema["properties"]
        found["properties"] = {name: converted_schema(each) for name, each in members.items()}
        found["additionalProperties"] = False
    if "items" in schema:
        found["items"] = converted_schema(schema["items"])
    for word in ("oneOf", "anyOf"):
        if word in schema:
            found[word] = [converted_schema(each) for each in schema[word]]
    return found
