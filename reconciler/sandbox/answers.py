"""Turns values into HTTP answers, and request bodies into values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from reconciler.sandbox.state import dump

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request


class Refused(Exception):
    """Carries the answer that ends a request early."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class NotJson(ValueError):
    """The body of a request is not JSON."""


def answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with `body` as JSON."""
    return raw(status, dump(body), headers)


def raw(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON that is text already."""
    return Response(text, status_code=status, headers=headers, media_type="application/json")


def nothing() -> Response:
    """Answer 204."""
    return Response(status_code=204)


def listing(texts: Sequence[str]) -> str:
    """Join JSON texts into a JSON array."""
    return "[" + ",".join(texts) + "]"


def media_type(request: Request) -> str:
    """Give the request's content type without its parameters, lower-case."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def json_body(request: Request) -> Any:
    """Parse the body; NotJson when it is none."""
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error
