"""Turns the query of a SailPoint list into a page and the rows that its filter lets through."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST_PAGE: Final = 250
_UNUSED = re.compile(r"lastUsed\s+isnull|isnull\(?\s*lastUsed\s*\)?")
_BEFORE = re.compile(r"lastUsed\s+le\s+\"?(?P<moment>[^\"\s]+)\"?")


class BadQuery(ValueError):
    """A query parameter that the server refuses."""


def page_of(query: Mapping[str, str]) -> tuple[int, int]:
    """The limit (at most and by default 250) and the offset; raises BadQuery."""
    limit, offset = query.get("limit", str(LARGEST_PAGE)), query.get("offset", "0")
    if not (limit.isascii() and limit.isdigit() and int(limit) <= LARGEST_PAGE):
        raise BadQuery(f"limit must be between 0 and {LARGEST_PAGE}.")
    if not (offset.isascii() and offset.isdigit()):
        raise BadQuery("offset must not be negative.")
    return int(limit), int(offset)


def filter_rows(texts: Sequence[str], filters: str) -> list[str]:
    """The rows that `filters` lets through; only lastUsed can be filtered, by `le` and `isnull`."""
    unused, before = _UNUSED.fullmatch(filters.strip()), _BEFORE.fullmatch(filters.strip())
    if unused:
        return [text for text in texts if json.loads(text)["lastUsed"] is None]
    if before:
        latest = _moment(before["moment"])
        return [text for text in texts if _used_until(json.loads(text)["lastUsed"], latest)]
    raise BadQuery(f"The filter {filters!r} is not supported.")


def _used_until(moment: str | None, latest: datetime) -> bool:
    return moment is not None and _moment(moment) <= latest


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadQuery(f"{text!r} is not a date-time.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
