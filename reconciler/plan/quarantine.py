"""Turns a client off before it is deleted, or in place of that, and on again when its manifest is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.model import MISSING, Action, Change
from reconciler.core.pointer import escape
from reconciler.core.times import day, instant, later
from reconciler.core.values import same
from reconciler.plan.applied import ignored, quarantined
from reconciler.plan.diff import compare
from reconciler.plan.preconditions import guard_of
from reconciler.plan.requests import update_requests

if TYPE_CHECKING:
    from reconciler.core.model import InventoryEntry, LiveClient, Manifest
    from reconciler.plan.inputs import Situation
    from reconciler.provider.model import Provider, Switch

GONE: Final = "no manifest names it any more"
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


def after_quarantine(
    situation: Situation, deleted: Change, entry: InventoryEntry, live: LiveClient
) -> Change:
    """The delete once the quarantine is over, what begins the quarantine, or the wait for its end.

    A client that somebody turned on meanwhile is in use: its quarantine begins anew.
    """
    days, since = situation.policy.quarantine_days, _off_since(situation, entry, live)
    if since is None:
        begins = f"{GONE}: deleted after {days} {'day' if days == 1 else 'days'} of quarantine"
        return _off(situation, deleted.key, entry, live, begins)
    until = later(since, days=days)
    if clock(situation) < until:
        reason = f"in quarantine since {day(since)}, to be deleted on {day(until)}: {GONE}"
        return kept(situation, deleted.key, reason)
    return replace(deleted, reason=f"{GONE}, and it was in quarantine since {day(since)}")


def disabled_for_good(
    situation: Situation, key: str, entry: InventoryEntry, live: LiveClient
) -> Change:
    """What turns a client off that is not to be deleted, or the word that it is off."""
    since = _off_since(situation, entry, live)
    if since is None:
        return _off(situation, key, entry, live, f"{GONE}: disabled, as policy.onRemoval says")
    return kept(situation, key, f"disabled since {day(since)}: {GONE}")


def restored(
    provider: Provider, manifest: Manifest, entry: InventoryEntry | None, live: LiveClient
) -> Manifest:
    """The manifest of a client that a quarantine turned off, with the switch on if it states none."""
    switch = provider.switch
    if entry is None or switch is None or not entry.quarantined_at:
        return manifest
    turned = same(entry.applied.get(switch.field, MISSING), switch.off)
    unstated = switch.field not in manifest.spec or switch.field in ignored(manifest)
    if not (turned and unstated and _is_off(provider, live, switch)):
        return manifest
    managed = manifest.lifecycle.ignore_changes - {f"/{escape(switch.field)}"}
    return replace(
        manifest,
        spec={**manifest.spec, switch.field: switch.on},
        lifecycle=replace(manifest.lifecycle, ignore_changes=managed),
    )


def kept(situation: Situation, key: str, reason: str) -> Change:
    """A client without a manifest that stays as it is, and why."""
    remote_id = situation.inventory.entries[key].remote_id
    return Change(
        target=situation.target,
        key=key,
        action=Action.NOOP,
        reason=reason,
        remote_id=remote_id,
        live=situation.live.clients.get(remote_id),
    )


def clock(situation: Situation) -> datetime:
    """When it is; without a clock no time is over."""
    return instant(situation.now) or _BEGINNING


def _off_since(situation: Situation, entry: InventoryEntry, live: LiveClient) -> datetime | None:
    """Since when a client is in quarantine, None where it is not, or was turned on since."""
    switch = situation.provider.switch
    if switch is not None and not _is_off(situation.provider, live, switch):
        return None
    return instant(entry.quarantined_at)


def _off(
    situation: Situation, key: str, entry: InventoryEntry, live: LiveClient, reason: str
) -> Change:
    """The update that turns a client off, or only the note that it is to go."""
    provider, switch = situation.provider, situation.provider.switch
    noted = quarantined(entry, switch, turned=False, now=situation.now)
    change = replace(kept(situation, key, reason), record=noted)
    if switch is None:
        warning = f"{provider.title} cannot disable a client: it can be used until it is deleted"
        return replace(change, warnings=(warning,))
    if _is_off(provider, live, switch):
        return change
    wanted = {switch.field: switch.off}
    tested = guard_of(provider, situation.guard) == "test"
    return replace(
        change,
        action=Action.UPDATE,
        fields=compare(provider, wanted, live.body, key=situation.key),
        requests=update_requests(provider, wanted, live.body, [switch.field], tested=tested),
        record=quarantined(entry, switch, turned=True, now=situation.now),
    )


def _is_off(provider: Provider, live: LiveClient, switch: Switch) -> bool:
    field = provider.fields[switch.field]
    return same(live.body.get(field.read_as, MISSING), switch.off)
