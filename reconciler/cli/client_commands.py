"""What the commands about clients outside of a plan share: how they call a use case, how they print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.app.context import Call
from reconciler.cli.output import print_document, print_line, print_message, version
from reconciler.cli.project_file import find_project_file
from reconciler.cli.run_state import current
from reconciler.render.json import document_header, json_text

if TYPE_CHECKING:
    from reconciler.app.ownership import Bound
    from reconciler.cli.options import GlobalOptions
    from reconciler.core.changes import Refusal
    from reconciler.core.model import Json


def use_case_call(options: GlobalOptions, target: str | None, lock_timeout: float) -> Call:
    """What a use case needs from the command line; `lock_timeout` is in seconds."""
    return Call(
        project_file=find_project_file(options.project),
        target=target,
        lock_timeout=lock_timeout,
        log=options.log,
        changed=current.note_change,
    )


def print_json(**members: Json) -> None:
    """Print a result as a JSON document."""
    print_document(json_text({**document_header(version()), **members}))


def print_refusal(key: str, refusal: Refusal, *, as_json: bool) -> None:
    """Print which guard refused, and why."""
    if as_json:
        print_json(key=key, refusal={"rule": refusal.rule, "message": refusal.message})
    print_message(f"refused: {refusal.message} [{refusal.rule}]")


def print_differing_fields(bound: Bound) -> None:
    """Print what the next apply will change of a client that is ours now."""
    names = ", ".join(bound.differing)
    print_line(f"The next apply changes {names}." if names else "It is as its manifest says.")
