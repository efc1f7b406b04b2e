"""Makes the commands that messages print work as printed: on the same project, for the same target."""

from __future__ import annotations

import json
import re
from shlex import quote
from typing import Final

# As every message spells a command: in backquotes, by the name of the program.
_COMMAND: Final = re.compile(r"`reconciler ([a-z]+)((?: [^`\n]*)?)`")
# Those that work on a project, and of these the ones that name a client by a key alone.
_OF_A_PROJECT: Final = frozenset(
    [
        "validate",
        "plan",
        "apply",
        "import",
        "adopt",
        "forget",
        "move",
        "resolve",
        "rotate",
        "secrets",
    ]
)
_OF_A_KEY: Final = frozenset(["adopt", "forget", "move", "resolve", "rotate"])


def with_options(
    text: str, *, project: str | None = None, target: str | None = None, as_json: bool = False
) -> str:
    """The text, each command in it with the options that it needs to mean the same, quoted for a shell.

    `target` goes to the commands that name a client by its key, and that do not state one yet.
    With `as_json` the text is JSON, and so is what is put into it.
    """

    def complete(found: re.Match[str]) -> str:
        command, rest = found[1], found[2]
        more = ""
        if target is not None and command in _OF_A_KEY and " --target" not in rest:
            more += f" --target {quote(target)}"
        if project is not None and command in _OF_A_PROJECT and " --project" not in rest:
            more += f" --project {quote(project)}"
        return f"`reconciler {command}{rest}{json.dumps(more)[1:-1] if as_json else more}`"

    return _COMMAND.sub(complete, text)


def path_argument(path: str) -> str:
    """A path as an argument of a command, quoted for a shell; one that begins with a dash is no option."""
    return quote(f"./{path}" if path.startswith("-") else path)
