"""Turns a world into the one application that serves all three vendors, each under its own prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Mount

from reconciler.sandbox.boruta import api as boruta
from reconciler.sandbox.boruta import rows as boruta_rows
from reconciler.sandbox.provident import api as provident
from reconciler.sandbox.sailpoint import api as sailpoint
from reconciler.sandbox.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.world import World


def build(world: World, abort: Callable[[Any], None]) -> Wire:
    """Serve `world`; `abort` cuts the connection of a (host, port) pair."""
    boruta_rows.populate(world)
    vendors = Starlette(
        routes=[
            Mount("/provident", provident.app(world)),
            Mount("/sailpoint", sailpoint.app(world)),
            Mount("/boruta", boruta.admin_app(world)),
            Mount("/boruta-oauth", boruta.oauth_app(world)),
        ]
    )
    return Wire(vendors, world, abort)
