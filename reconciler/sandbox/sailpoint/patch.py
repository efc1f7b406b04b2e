"""Turns a SailPoint client and a JSON Patch (RFC 6902) into the changed client, or refuses it."""

from __future__ import annotations

from typing import Any, Final

import jsonpatch

from reconciler.sandbox.sailpoint.fields import PATCHABLE, problems

_OPERATIONS: Final = ("add", "remove", "replace", "move", "copy", "test")
_REMOVABLE: Final = frozenset({"businessName", "homepageUrl", "description", "tenant"})


class Unpatchable(ValueError):
    """The patch is refused; the text says why."""


def apply_patch(client: dict[str, Any], operations: object) -> dict[str, Any]:
    """The client with `operations` applied; raises Unpatchable when the patch or its result is refused."""
    if not isinstance(operations, list):
        raise Unpatchable("The body must be an array of patch operations.")
    for operation in operations:
        _check(operation)
    absent = {f"/{name}" for name, value in client.items() if value is None and name != "tenant"}
    for operation in operations:
        # Null in a read is what the client does not have (RFC 6902 section 4.3).
        if operation["op"] == "replace" and operation["path"] in absent:
            raise Unpatchable(f"There is no {operation['path']} to replace.")
        absent.discard(operation["path"])
    try:
        after = jsonpatch.JsonPatch(operations).apply(client)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise Unpatchable(f"The patch cannot be applied: {error}") from None
    # Of a removed field later reads show null, as of one that was never set.
    after |= {name: None for name in _REMOVABLE if name not in after}
    missing = [f"{name} cannot be removed." for name in client if name not in after]
    unknown = [f"{name} is not a field." for name in after if name not in client]
    found = missing + unknown + problems(after)
    if found:
        raise Unpatchable(" ".join(found))
    return dict(after)


def has_tests(operations: object) -> bool:
    """Whether a patch holds a `test` operation."""
    listed = operations if isinstance(operations, list) else []
    return any(isinstance(each, dict) and each.get("op") == "test" for each in listed)


def _check(operation: object) -> None:
    if not isinstance(operation, dict):
        raise Unpatchable("Each operation must be an object.")
    if operation.get("op") not in _OPERATIONS:
        raise Unpatchable(f"op must be one of {', '.join(_OPERATIONS)}.")
    _check_places(operation)
    if operation["op"] in ("add", "replace", "test"):
        if "value" not in operation:
            raise Unpatchable(f"{operation['op']} needs a value.")
        # The spec's oneOf lists string, boolean, integer, object and array.
        if operation["value"] is None or isinstance(operation["value"], float):
            raise Unpatchable("value must be a string, boolean, integer, object or array.")


def _check_places(operation: dict[str, Any]) -> None:
    if not isinstance(operation.get("path"), str) or not operation["path"].startswith("/"):
        raise Unpatchable("path must be a JSON Pointer to a field.")
    written = [] if operation["op"] == "test" else [operation["path"]]
    if operation["op"] == "move":
        written.append(operation.get("from", ""))
    for place in written:
        name = str(place).split("/")[1] if "/" in str(place) else ""
        if name not in PATCHABLE:
            raise Unpatchable(f"{place} is not patchable.")
