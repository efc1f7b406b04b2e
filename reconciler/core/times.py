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


def later(moment: datetime, *, days: int = 0, minutes: int = 0, seconds: float = 0.0) -> datetime:
    """`moment` and so much more, no later than the calendar ends."""
    try:
        return moment + timedelta(days=days, minutes=minutes, seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if days + minutes + seconds > 0 else moment


def day(moment: datetime) -> str:
    """The day of `moment` in UTC, as people write it: 2026-11-23."""
    return moment.date().isoformat()


def minute(moment: datetime) -> str:
    """The minute of `moment` in UTC, as people write it: 2026-11-23 10:00 UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """How long so many seconds are, in the largest unit that they are whole in: 24h, 90m, 30s."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"
