"""Sinks: each stores the secret of a client where whoever runs the client can get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# They are entry points too, so that everybody can see them; this way they are found without an
# installation, and nobody else's package can take their place.
BUILT_IN: Final[Mapping[str, str]] = {
    "file": "reconciler.sinks.file:make",
    "age": "reconciler.sinks.age:make",
    "exec": "reconciler.sinks.command:make",
    "aws-secretsmanager": "reconciler.sinks.aws:make",
}
