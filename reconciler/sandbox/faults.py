"""Turns `--fault` options into the faults that strike a given request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

GRAMMAR: Final = (
    "KIND[=VALUE][@FIRST][:WORD,WORD]: the kinds are latency=20ms, 429-burst=5, 5xx=1 (or 500, 502, 503, 504), "
    "drop=1, drop-after-write=1, broken-json=1, short-pages=100, repeat-pages, unpaged, refuse-tests=400, widen-scopes, drop-scopes; FIRST is the number of the first "
    "matching request that is struck; the words narrow the match: provident, sailpoint, boruta, token, read, "
    "write, list, get, post, put, patch, delete"
)
_OPTION = re.compile(
    r"(?P<kind>[^=@:]+)(?:=(?P<value>[^@:]*))?(?:@(?P<first>[^:]*))?(?::(?P<words>.*))?"
)
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s)")
_WORDS: Final = frozenset(
    [
        "provident",
        "sailpoint",
        "boruta",
        "token",
        "read",
        "write",
        "list",
        "get",
        "post",
        "put",
        "patch",
        "delete",
    ]
)
# How many requests a fault strikes when the option does not say; None: every one from the first on.
_COUNTS: Final[dict[str, int | None]] = {
    "latency": None,
    "429-burst": 5,
    "5xx": 1,
    "500": 1,
    "502": 1,
    "503": 1,
    "504": 1,
    "drop": 1,
    "drop-after-write": 1,
    "broken-json": 1,
    "short-pages": None,
    "repeat-pages": None,
    "unpaged": None,
    "refuse-tests": None,
    "widen-scopes": None,
    "drop-scopes": None,
}
_IMPLIED: Final = {
    "drop-after-write": "write",
    "short-pages": "list",
    "repeat-pages": "list",
    "unpaged": "list",
    "refuse-tests": "patch",
    "widen-scopes": "post",
    "drop-scopes": "write",
}
_VALUELESS: Final = frozenset({"repeat-pages", "unpaged", "widen-scopes", "drop-scopes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: `count` None strikes for ever; `amount` is seconds of latency or rows of a short page."""

    kind: str
    count: int | None
    amount: float
    first: int
    words: frozenset[str]

    def concerns(self, words: frozenset[str]) -> bool:
        """Whether a request with these words is counted; token requests are only when named."""
        if "token" in words and "token" not in self.words and self.kind != "latency":
            return False
        return self.words <= words

    def strikes(self, number: int) -> bool:
        """Whether the `number`th counted request (from 1) is struck."""
        return self.first <= number and (self.count is None or number < self.first + self.count)


def parse(option: str) -> Fault:
    """The fault of one option, e.g. `latency=20ms`, `5xx=2@3:sailpoint,get`; raises ValueError."""
    match = _OPTION.fullmatch(option)
    if match is None or match["kind"] not in _COUNTS:
        raise ValueError(f"unknown fault {option!r}; expected {GRAMMAR}")
    kind, value = match["kind"], match["value"]
    words = frozenset((match["words"] or "").split(",")) - {""}
    if words - _WORDS:
        raise ValueError(
            f"unknown word {min(words - _WORDS)!r} in fault {option!r}; expected {GRAMMAR}"
        )
    counted = _COUNTS[kind] is not None
    return Fault(
        kind=kind,
        count=_positive_number(option, value, _COUNTS[kind]) if counted else None,
        amount=0.0 if counted else _amount(option, kind, value),
        first=_positive_number(option, match["first"], 1) or 1,
        words=words | ({_IMPLIED[kind]} if kind in _IMPLIED else frozenset()),
    )


def _positive_number(option: str, text: str | None, default: int | None) -> int | None:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"{text!r} is not a whole number above 0 in fault {option!r}")
    return int(text)


def _amount(option: str, kind: str, value: str | None) -> float:
    if kind == "latency":
        match = _DURATION.fullmatch(value or "")
        if match is None:
            raise ValueError(f"latency needs a duration such as 20ms or 1.5s in fault {option!r}")
        return float(match["number"]) * (0.001 if match["unit"] == "ms" else 1.0)
    if kind in _VALUELESS and value is not None:
        raise ValueError(f"{kind} takes no value in fault {option!r}")
    return float(_positive_number(option, value, None) or 0)


class Faults:
    """The faults in force, each with its own count of the requests that concerned it."""

    def __init__(self, options: Iterable[str] = ()) -> None:
        self._faults: list[Fault] = []
        self._seen: list[int] = []
        self.set(options)

    def set(self, options: Iterable[str]) -> None:
        """Put these faults in the place of those in force; counting starts anew."""
        # Parsed first: an option that is wrong leaves the faults in force as they are.
        faults = [parse(option) for option in options]
        self._faults, self._seen = faults, [0] * len(faults)

    def strike(self, words: frozenset[str]) -> dict[str, float]:
        """Count a request; return the kinds of faults that strike it, each with its largest amount."""
        struck: dict[str, float] = {}
        for index, fault in enumerate(self._faults):
            if not fault.concerns(words):
                continue
            self._seen[index] += 1
            if fault.strikes(self._seen[index]):
                struck[fault.kind] = max(fault.amount, struck.get(fault.kind, 0.0))
        return struck
