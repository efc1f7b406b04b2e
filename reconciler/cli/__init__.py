"""The commands: options, exit codes, and the only place that prints."""

from __future__ import annotations

import gc

# A run makes much that lives to its end and hardly a cycle: the search for cycles would cost a
# fifth of it. Loading click alone makes it search for 5 ms.
_SELDOM = 1_000_000


def main() -> None:
    """Run the command line of this process, and exit."""
    gc.set_threshold(_SELDOM)
    from reconciler.cli.root import root  # noqa: PLC0415 - loads click, and that is to be quick

    try:
        root()
    finally:
        gc.freeze()  # the process ends: a last search for cycles in all that it loaded takes 40 ms
