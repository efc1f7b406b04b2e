"""The half of a check that makes a client on a test server, changes it, gives it another secret and takes it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.app.apply import apply_plan
from reconciler.app.context import load_valid, open_target
from reconciler.app.plan import Selection, plan_targets
from reconciler.app.provider_check.findings import TARGET, note, ok, wrong
from reconciler.core.changes import Action, Change, Refusal, Status
from reconciler.core.errors import ReconcilerError
from reconciler.plan.requests import delete_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.app.context import Call
    from reconciler.app.provider_check.findings import Finding, Workshop
    from reconciler.core.model import Json, JsonObject
    from reconciler.provider.model import Field, Provider

_KEY: Final = "check"


class _Broken(Exception):
    """A step that did not end as it has to, with what was said."""


def write_half(
    shop: Workshop, call: Call, provider: Provider, spec: JsonObject
) -> Iterator[Finding]:
    """The life of one client that begins with `spec`. Ends at the first step that goes wrong."""
    try:
        yield from _life(shop, call, provider, dict(spec))
    except (_Broken, ReconcilerError) as error:
        yield wrong(str(error))
    finally:
        yield from _swept(shop, call, provider)


def _life(
    shop: Workshop, call: Call, provider: Provider, spec: dict[str, Json]
) -> Iterator[Finding]:
    shop.state(provider.kind, _KEY, spec)
    _applied(shop, "the create")
    yield ok("a client was created, and the next plan is empty")
    for name, value in _changes(provider, spec):
        spec = {**spec, name: value}
        shop.state(provider.kind, _KEY, spec)
        _applied(shop, f"a change of {name}")
        yield ok(f"{name} was changed, and the next plan is empty")
    if provider.rotate is not None:
        yield _rotated(call)
    if provider.delete is None:
        yield note("the descriptor has no delete: take the client away by hand")


def _changes(provider: Provider, spec: JsonObject) -> Iterator[tuple[str, Json]]:
    """Another value for each field of `spec` that an update takes and of which one can be thought of."""
    for name in spec:
        field = provider.fields[name]
        fixed = field.immutable or field.create_only or field.secret
        if not fixed and (other := _another(field, spec[name])) is not None:
            yield name, other


def _another(field: Field, value: Json) -> Json:
    """A value of the same kind that is another, None where none comes to mind."""
    schema: Any = field.schema
    if isinstance(value, bool):
        return not value
    if isinstance(value, int) and value < schema.get("maximum", value + 1):
        return value + 1
    choices = [one for one in schema.get("enum", ()) if one not in (value, None)]
    if choices:
        return choices[0]
    is_free = isinstance(value, str) and not {"pattern", "format", "enum"} & schema.keys()
    # Of an address nobody knows which other one the server would take.
    return f"{value} 2" if is_free and "://" not in str(value) else None


def _applied(shop: Workshop, what: str) -> None:
    """Apply, and plan again: nothing may be left. Raises _Broken."""
    with plan_targets(shop.project_file, Selection(), lock=True) as planned:
        _refuse(planned.plan, what)
        report = apply_plan(planned)
    failed = [each.message for each in report.outcomes if each.status is not Status.DONE]
    if failed:
        raise _Broken(f"{what}: {failed[0]}")
    with plan_targets(shop.project_file, Selection(), lock=True) as planned:
        _refuse(planned.plan, f"the plan after {what}")
        left = [
            f"{each.field} is {each.before!r} and not {each.after!r}"
            for target in planned.plan.targets
            for change in target.changes
            if change.action is not Action.NOOP
            for each in change.fields
        ]
    if left:
        raise _Broken(f"{what} leaves a plan that is not empty: {'; '.join(left)}")


def _refuse(plan: Any, what: str) -> None:
    for target in plan.targets:
        refused = [change.refusal for change in target.changes if change.refusal is not None]
        for message in (*target.errors, *(each.message for each in (*target.refusals, *refused))):
            raise _Broken(f"{what}: {message}")


def _rotated(call: Call) -> Finding:
    from reconciler.app.rotation import rotate  # noqa: PLC0415 - loads httpx

    with rotate.open_for_rotation(call, _KEY) as found:
        if isinstance(found, Refusal):
            return wrong(f"the secret cannot be changed: {found.message}")
        done = found.rotate()
    if done.place != "stored":
        return wrong(f"the new secret did not arrive: {done.trouble}")
    return ok("the client has another secret, and the sink has it")


def _swept(shop: Workshop, call: Call, provider: Provider) -> Iterator[Finding]:
    """Take the client away again, if the vendor can."""
    if provider.delete is None or not (shop.root / "clients" / f"{_KEY}.yaml").is_file():
        return
    from reconciler.apply.request_log import RequestLog  # noqa: PLC0415 - as above

    try:
        with open_target(load_valid(call), TARGET, call) as opened:
            entry = opened.session.entry(_KEY)
            if entry is None:
                return
            change = Change(target=TARGET, key=_KEY, action=Action.DELETE, reason="")
            RequestLog(opened, change).send(delete_request(provider), entry.remote_id)
    except ReconcilerError as error:
        yield wrong(f"the client could not be deleted, and is there still: {error}")
    else:
        yield ok("the client was deleted")
