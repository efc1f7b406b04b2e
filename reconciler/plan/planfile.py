"""Turns a plan's JSON document into a saved plan, and compares a saved one with what is planned now."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.changes import Action, ForgetClient
from reconciler.core.errors import SelectionError, StalePlan
from reconciler.core.model import MISSING
from reconciler.core.secrets import is_same_text, signature
from reconciler.core.values import brief_text, canonical_json, same
from reconciler.plan.fields.patch import without_tests
from reconciler.plan.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.core.changes import Change
    from reconciler.core.model import Json, JsonObject

    # A saved plan or a part of it, valid by `plan.schema.json`.
    Document = Mapping[str, Any]

_AGAIN: Final = "plan again, and have that reviewed"
_PHRASES: Final = {
    "create": "to be created",
    "update": "to be updated",
    "replace": "to be replaced",
    "delete": "to be deleted",
    "adopt": "to be adopted",
    "move": "to be moved in the record",
    "noop": "to stay as it is",
}
# A client that is moved may be updated as well, and a predecessor deleted.
_BESIDE_ANOTHER: Final = ("delete", "move")
CREDENTIAL: Final = (
    "only fingerprints of secrets differ. They are keyed by the secret that the tool logs in with: "
    "if no secret was changed, plan and apply logged in with different ones, and fingerprintKey in "
    "the project file gives both the same key"
)


def saved_document(
    document: Document, live_values: Sequence[Sequence[JsonObject]], selection: Selection
) -> dict[str, Json]:
    """`document`, a plan's, as a saved plan: with the live values that it rests on, and digests.

    `live_values` are those of each change of each target, in the document's order, without secrets.
    """
    targets = [
        {
            **target,
            "changes": [
                _with_live_values(*pair) for pair in zip(target["changes"], values, strict=True)
            ],
        }
        for target, values in zip(document["targets"], live_values, strict=True)
    ]
    whole = {
        **document,
        "selection": _selection_members(selection),
        "targets": targets,
    }
    return {**whole, "digest": digest(whole)}


def _with_live_values(change: Document, values: JsonObject) -> dict[str, Json]:
    complete = {**change, "live": dict(values)}
    return {**complete, "digest": digest(decision(complete))}


def digest(value: Json) -> str:
    """The SHA-256 of `value` as canonical JSON: the order of an object's members does not matter."""
    # JSON may hold a lone surrogate as an escape, and UTF-8 alone would refuse to encode it.
    text = canonical_json(value).encode("utf-8", "surrogatepass")
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def decision(change: Document) -> dict[str, Json]:
    """What a change of a saved plan decides, and what it rests on; not why, and from which file."""
    refusal = change["refusal"]
    return {
        "key": change["key"],
        "action": change["action"],
        "id": change["id"],
        "fields": [
            {side: field[side] for side in ("field", "before", "after") if side in field}
            for field in change["fields"]
        ],
        "requests": [_without_tests(request) for request in change["requests"]],
        # Its message is for people, and may change with what it lists.
        "refusal": None if refusal is None else refusal["rule"],
        "live": change["live"],
        **({"forget": True} if change.get("forget") else {}),
        **({"movedFrom": change["movedFrom"]} if "movedFrom" in change else {}),
    }


def _without_tests(request: Document) -> Document:
    """`request` without its `test` operations: they hold live values in the server's spelling.

    `live` has the same values in canonical form.
    """
    # Kept, they would make another decision of a set that the server lists in another order.
    body = request.get("body")
    if request.get("contentType") != "application/json-patch+json" or not isinstance(body, list):
        return request
    return {**request, "body": without_tests(body)}


def open_saved(
    document: Json, *, name: str, version: str, fits: Callable[[Json], bool]
) -> tuple[Document, Selection]:
    """The saved plan that `document` is, and what it was made of; StalePlan says why it is none.

    `name` is the file's, `version` the tool's own. `fits` says whether a document has the shape of
    a plan.
    """
    if not isinstance(document, dict) or not {"formatVersion", "tool", "digest"} <= document.keys():
        raise StalePlan(f"{name} is no saved plan: `reconciler plan --out FILE` writes one")
    # Not `!=`: to Python, true and 1.0 are 1 as well.
    if not same(document["formatVersion"], 1):
        raise StalePlan(f"{name} has a format that this version does not read: {_AGAIN}")
    # Before the digest: another version may write another document, which nobody edited.
    tool = document["tool"]
    made_by = tool.get("version") if isinstance(tool, dict) else None
    if made_by != version:
        raise StalePlan(
            f"{name} was made by reconciler {brief_text(made_by)}, and this is {version}, which may "
            f"decide otherwise: {_AGAIN}"
        )
    content = {member: value for member, value in unsigned(document).items() if member != "digest"}
    if document["digest"] != digest(content) or not fits(document) or not _is_whole(document):
        raise StalePlan(f"{name} was edited after it was made (its digest does not fit): {_AGAIN}")
    if document.get("errors") or any(target["errors"] for target in document["targets"]):
        raise StalePlan(f"{name} is not a whole plan, it holds errors: {_AGAIN}")
    if why := _orders_in_vain(document):
        raise StalePlan(f"{name} {why}: {_AGAIN}")
    stated = document["selection"]
    # Not its limits: who can write the file could lift them, and the digest has no key.
    return document, Selection(targets=tuple(stated["targets"]), selectors=tuple(stated["select"]))


def _orders_in_vain(document: Document) -> str:
    """Why no part of a whole saved plan may be applied, "" where it may; the rest is found by planning again."""
    targets = document["targets"]
    if not targets:
        return "has no targets"
    places = [
        _place(target["target"], change) for target in targets for change in target["changes"]
    ]
    names = [(target["target"],) for target in targets]
    twice = [each for each, count in Counter([*names, *places]).items() if count > 1]
    if twice:
        return f"holds {'/'.join(filter(None, twice[0]))} more than once"
    refused = [
        f"{where} was refused ({refusal['rule']})"
        for where, refusal in _refusals(targets)
        if "holdsBack" not in refusal
    ]
    return f"holds a refusal, which is not applied: {refused[0]}" if refused else ""


def _refusals(targets: Sequence[Document]) -> Iterator[tuple[str, Document]]:
    for target in targets:
        name = target["target"]
        yield from ((name, refusal) for refusal in target["refusals"])
        for change in target["changes"]:
            if change["refusal"] is not None:
                yield f"{name}/{change['key']}", change["refusal"]


def signed(document: Document, key: str) -> dict[str, Json]:
    """The saved plan with its signature by a secret text."""
    return {**document, "signature": signature(key, unsigned(document))}


def unsigned(document: Document) -> dict[str, Json]:
    """The saved plan without its signature."""
    return {member: value for member, value in document.items() if member != "signature"}


def check_signature(document: Document, key: str, *, name: str) -> None:
    """Raise StalePlan for a saved plan, called `name`, that was not signed by this secret text."""
    stated = document.get("signature")
    if stated is None:
        raise StalePlan(
            f"{name} is not signed, and --require-signature takes no such plan: `reconciler plan "
            "--out FILE` signs where it has the key of the project's planKey"
        )
    if not is_same_text(stated, signature(key, unsigned(document))):
        raise StalePlan(
            f"{name} was edited after it was signed, or signed with another key than the one that "
            f"planKey refers to here: {_AGAIN}"
        )


def _selection_members(selection: Selection) -> dict[str, Json]:
    asked: dict[str, Json] = {
        "targets": list(selection.targets),
        "select": list(selection.selectors),
    }
    if selection.max_deletes is not None:
        asked["maxDeletes"] = selection.max_deletes
    return asked


def _is_whole(document: Document) -> bool:
    """Whether a plan holds all that only a saved one does."""
    changes = [change for target in document["targets"] for change in target["changes"]]
    return "selection" in document and all("live" in change for change in changes)


def differences(reviewed: Document, planned: Document, only: Sequence[str] = ()) -> tuple[str, ...]:
    """A sentence for each reviewed change and each address that `planned` decides or sees otherwise.

    A client that was to stay as it is and one that was not there were not decided on: whatever
    becomes of them, `left_alone` tells it. With `only`, the keys of clients, the others may differ. SelectionError for one that the
    reviewed plan does not hold.
    """
    wanted, found = _changes(reviewed), _changes(planned)
    missing = [key for key in only if not any(_is_named(place, (key,)) for place in wanted)]
    if missing:
        raise SelectionError(f"--only {', '.join(missing)}: the saved plan has no such client")
    # On another server every client differs, and that is no news.
    sentences = list(_moved_targets(reviewed, planned))
    if sentences:
        return tuple(sentences)
    places = sorted(
        place for place, change in wanted.items() if _is_change(change) and _is_named(place, only)
    )
    sentences = [
        f"{place[0]}/{place[1]}: {sentence}"
        for place in places
        for sentence in _change_differences(wanted[place], found.get(place))
    ]
    if sentences and all(sentence.endswith(CREDENTIAL) for sentence in sentences):
        # One reason for all of them is stated once.
        clients = ", ".join(sentence.removesuffix(f": {CREDENTIAL}") for sentence in sentences)
        return (f"{clients}: {CREDENTIAL}",)
    return tuple(sentences)


def left_alone(reviewed: Document, planned: Document) -> tuple[str, ...]:
    """A sentence for each change of `planned` that nobody reviewed, which is left for a plan of its own."""
    wanted = decided_places(reviewed)
    return tuple(
        f"{place[0]}/{place[1]} is {_PHRASES[change['action']]}"
        for place, change in sorted(_changes(planned).items())
        if _is_change(change) and place not in wanted
    )


def decided_places(reviewed: Document) -> frozenset[Place]:
    """The target, the key and, of a delete, the id of each change that was reviewed."""
    return frozenset(place for place, each in _changes(reviewed).items() if _is_change(each))


def _is_change(change: Document) -> bool:
    return change["action"] != "noop" or bool(change.get("forget"))


def is_decided(change: Change, decided: frozenset[Place]) -> bool:
    """Whether a change was reviewed. A client that stays as it is needs no review."""
    if change.action is Action.NOOP and not isinstance(change.record, ForgetClient):
        return True
    beside = change.action.value in _BESIDE_ANOTHER
    return (change.target, change.key, (change.remote_id or "") if beside else "") in decided


def is_named(target: str, key: str, only: Sequence[str]) -> bool:
    """Whether `only` names a client, as `key` or as `target/key`. Nothing named means all."""
    return not only or key in only or f"{target}/{key}" in only


Place = tuple[str, str, str]


def _is_named(place: Place, only: Sequence[str]) -> bool:
    return is_named(place[0], place[1], only)


def _changes(document: Document) -> dict[Place, Document]:
    """The changes by target and key; those of which a key may have one more also by their id."""
    return {
        _place(target["target"], change): change
        for target in document["targets"]
        for change in target["changes"]
    }


def _place(target: str, change: Document) -> Place:
    remote_id = (change["id"] or "") if change["action"] in _BESIDE_ANOTHER else ""
    return target, change["key"], remote_id


def _moved_targets(reviewed: Document, planned: Document) -> Iterator[str]:
    now = {target["target"]: target for target in planned["targets"]}
    for target in reviewed["targets"]:
        name = target["target"]
        planned_target = now.get(name)
        if planned_target is None:
            yield f"{name}: the project has no such target any more"
            continue
        for member, word in (("provider", "provider"), ("baseUrl", "address")):
            if target[member] != planned_target[member]:
                yield f"{name}: its {word} was {target[member]}, and is {planned_target[member]} now"


def _change_differences(before: Document, now: Document | None) -> Iterator[str]:
    if now is None:
        yield f"was {_PHRASES[before['action']]}, and is not in the plan any more"
    elif not same(decision(before), decision(now)):
        found = list(_decision_differences(before, now)) or list(_value_differences(before, now))
        if not found and same(
            _mask_fingerprints(decision(before)), _mask_fingerprints(decision(now))
        ):
            found = [CREDENTIAL]
        yield "; ".join(found) or "its requests are others now"


def _decision_differences(before: Document, now: Document) -> Iterator[str]:
    if before["action"] != now["action"]:
        yield f"was {_PHRASES[before['action']]}, and is {_PHRASES[now['action']]} now"
    if before["id"] != now["id"]:
        yield f"its id was {before['id'] or 'not there'}, and is {now['id'] or 'not there'} now"
    old, new = before["refusal"], now["refusal"]
    if new is not None and (old is None or old["rule"] != new["rule"]):
        yield f"is refused now ({new['rule']})"
    if before["live"] and now["live"]:
        # A reader wants to know which value moved, not only that the decision is another.
        yield from _value_differences(before, now)


def _value_differences(before: Document, now: Document) -> Iterator[str]:
    old, new = _mask_fingerprints(before), _mask_fingerprints(now)
    lives = old["live"] | _sides(old, "before"), new["live"] | _sides(new, "before")
    yield from _sentences(*lives, "{field} on the server was {before}, and is {now} now")
    wanted = _sides(old, "after"), _sides(new, "after")
    if before["action"] == now["action"]:
        yield from _sentences(*wanted, "{field} was to become {before}, and is to become {now} now")


def _sides(change: Document, side: str) -> dict[str, Json]:
    return {field["field"]: field[side] for field in change["fields"] if side in field}


def _sentences(before: JsonObject, now: JsonObject, sentence: str) -> Iterator[str]:
    for field in sorted(before.keys() | now.keys()):
        old, new = before.get(field, MISSING), now.get(field, MISSING)
        if not same(old, new):
            yield sentence.format(field=field, before=brief_text(old), now=brief_text(new))


def _mask_fingerprints(value: Any) -> Any:
    """`value` with one word for every fingerprint."""
    # Whether only fingerprints differ is asked this way: then it may be the key and no secret.
    if isinstance(value, dict):
        if value.keys() == {"$secret"}:
            return "(secret)"
        return {name: _mask_fingerprints(member) for name, member in value.items()}
    return [_mask_fingerprints(member) for member in value] if isinstance(value, list) else value
