"""The `reconciler` command: loads the module of a subcommand only when that is run."""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Final, cast

import click

from reconciler.cli import streams
from reconciler.cli.exit_codes import run_command
from reconciler.cli.options import GlobalOptions, global_options
from reconciler.cli.output import print_text, version

if TYPE_CHECKING:
    from collections.abc import Sequence

# The first sentence of each command's help, so that `reconciler --help` loads no command.
COMMANDS: Final = {
    "init": "Write a project file and a first client to start from.",
    "validate": "Check the project file and every client in it, without a network.",
    "plan": "Show what apply would change, and why.",
    "apply": "Make the servers agree with the files.",
    "import": "Write manifests for clients that exist, and manage them from now on.",
    "adopt": "Bind a manifest to a client that exists.",
    "forget": "Cease to manage a client, and leave it on its server.",
    "move": "Record a client under another key, or of another target of its server.",
    "resolve": "Say what came of a create that got no answer.",
    "rotate": "Give a client a new secret.",
    "secrets": "Bring the secrets of clients to where they belong.",
    "provider": "Hold the description of a vendor against a server of it.",
    "providers": "List the vendors that are known and what each supports.",
    "schema": "Print a JSON Schema, for editors and other tools.",
    "sandbox": "Serve the vendors on this machine, to try things on.",
    "demo": "Show the whole life of a few clients on the sandbox.",
}


class Root(click.Group):
    """A group whose commands are modules of `reconciler.cli.commands`, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of the commands, in the order in which they are first needed."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, its module loaded now; None for a name that is no command."""
        if cmd_name not in COMMANDS:
            return None
        # `import` is a word of Python's: its module has an underscore behind it.
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = import_module(f"reconciler.cli.commands.{name}")
        return cast("click.Command", module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from the table, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "reconciler",
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - click's signature
        **extra: Any,
    ) -> Any:
        """Run a command line; as the program, exit with the code that its outcome stands for."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        options = GlobalOptions()
        streams.prepare()
        parent = super().main  # `super()` without arguments does not work inside a lambda
        sys.exit(
            run_command(
                options,
                lambda: parent(
                    args, prog_name, complete_var, standalone_mode=False, obj=options, **extra
                ),
            )
        )


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if not wanted:
        return
    print_text(f"reconciler {version()}\n")
    ctx.exit()


@click.group("reconciler", cls=Root, context_settings={"max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@global_options
def root() -> None:
    """Keep OAuth clients in git and make their servers agree.

    YAML files say which OAuth clients should exist on which server. `validate` checks them, `plan`
    shows what differs from the live servers and why, and `apply` sends the fewest requests that
    make the two agree.

    Exit codes: 0 done; 1 failed, and nothing was changed; 2 changes pending (plan
    --detailed-exitcode); 3 refused by a guard; 4 stale plan; 5 partly applied: something was
    carried out, and something failed or is not recorded; 64 wrong usage.
    """
