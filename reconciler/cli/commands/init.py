"""`reconciler init`: a project file and a first client, and what to do with them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from reconciler.cli import known_providers, project_file, starter
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import global_options
from reconciler.cli.output import print_text
from reconciler.cli.run_state import current
from reconciler.core.errors import ReconcilerError
from reconciler.manifests import catalog
from reconciler.project_folder import is_file_behind_link, leads_out_of

_IGNORED: Final = ".reconciler/secrets/"


@click.command("init")
@click.argument("directory", metavar="[DIR]", default=".")
@click.option(
    "--provider",
    metavar="NAME|FOLDER",
    default=catalog.default_name(),
    show_default=True,
    help="The vendor to start with: a name that `reconciler providers` lists, or the folder of a "
    "provider of your own, with a slash in it.",
)
@global_options
def command(*, directory: str, provider: str) -> ExitCode:
    """Write a project file and a first client to start from.

    Writes reconciler.yaml, clients/storefront-web.yaml and the line of .gitignore that keeps
    secrets out of git, in DIR or here. Nothing that exists is overwritten.
    """
    folder = Path(directory)
    start = _start(provider, folder)
    client = folder / "clients" / f"{starter.KEY}.yaml"
    texts = {
        folder / project_file.NAME: starter.project_text(start),
        client: starter.client_text(start),
    }
    ignored = folder / ".gitignore"
    _refuse_links([*texts, ignored], folder)
    _write(texts)
    _ignore(ignored)
    print_text(_next_steps(folder, client, start))
    return ExitCode.DONE


def _start(provider: str, folder: Path) -> starter.Start:
    """What a project in `folder` starts with; InputError for a provider's folder that cannot be used."""
    if "/" in provider:
        # It is typed from where the user is, and a target names it from where the project file is.
        entry = catalog.entry(known_providers.folder_name(provider, "."), ".")
        return starter.Start(
            provider=known_providers.folder_name(provider, str(folder)), entry=entry
        )
    if provider not in catalog.names():
        hint = f"; write ./{provider} for the folder" if Path(provider).is_dir() else ""
        raise click.BadParameter(
            f"{provider!r} is none of {', '.join(catalog.names())}{hint}", param_hint="--provider"
        )
    return starter.Start(provider=provider, entry=catalog.entry(provider, "."))


def _refuse_links(paths: list[Path], folder: Path) -> None:
    """Raise ReconcilerError where a link would have something written that is not in the folder."""
    for path in paths:
        if is_file_behind_link(str(path)) or leads_out_of(str(folder), str(path)):
            raise ReconcilerError(f"{path} is a link, or behind one; nothing was written")


def _write(texts: dict[Path, str]) -> None:
    # All are looked at before the first is written: half a project would be in the way of a second try.
    for path in texts:
        if path.exists():
            raise ReconcilerError(f"{path} is already there; nothing was written")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x", since a file may have appeared since then: it is not overwritten either.
        with path.open("x", encoding="utf-8") as file:
            current.note_change()
            file.write(text)


def _ignore(path: Path) -> None:
    """Keep the folder of secrets out of git, if the file does not say so yet."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if _IGNORED in before.splitlines():
        return
    # Behind a last line without a line break, the new one would become a part of it.
    joint = "" if before.endswith("\n") or not before else "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{joint}{_IGNORED}\n")


def _next_steps(folder: Path, client: Path, start: starter.Start) -> str:
    enter = "" if folder == Path() else f"   cd {folder}\n"
    return (
        f"Wrote {folder / project_file.NAME} and {client}.\n"
        "\n"
        "1. Put the server's address and your clients into them, then\n"
        f"{enter}"
        "   reconciler validate\n"
        "2. Tell who the tool logs in as, and look at what it would do:\n"
        f"   export {start.variable}_ID=... {start.variable}_SECRET=...\n"
        "   reconciler plan\n"
        "3. Let it do that:\n"
        "   reconciler apply\n"
    )
