"""Reads the instants that servers and records state, RFC 3339, and reckons in days with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.model import Json


def instant(stated: Json) -> datetime | None:
    """The instant that an RFC 3339 text states, None for anything else; without an offset it is UTC."""
    if not isinstance(stated, str):
        return None
    try:
        # Python 3.11 and later read every form of RFC 3339 here, "Z" included.
        found = datetime.fromisoformat(stated)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def later(moment: datetime, *, days: int = 0, minutes: int = 0) -> datetime:
    """`moment` and so much more, no later than the calendar ends."""
    try:
        return moment + timedelta(days=days, minutes=minutes)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if days + minutes > 0 else moment


def day(moment: datetime) -> str:
    """The day of `moment` in UTC, as people write it: 2026-11-23."""
    return moment.date().isoformat()
