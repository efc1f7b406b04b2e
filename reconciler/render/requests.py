"""Says where each request of a change goes: its path with the id that is known by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import Action
from reconciler.plan.requests import path_for

if TYPE_CHECKING:
    from reconciler.core.model import Change, Request


def known_path(change: Change, request: Request) -> str:
    """The path of `request`; `{id}` stays in it where only a server's answer will tell.

    In a replace the id that is known is the old one, which only the delete is about.
    """
    if change.remote_id is None:
        return request.path
    if change.action is Action.REPLACE and request.operation != "delete":
        return request.path
    return path_for(request, change.remote_id)
