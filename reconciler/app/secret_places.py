"""Asks the private files and the sink of a target where the secrets of its clients are."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.app.connection import refuse_taken_spool, spool_folder
from reconciler.apply.secrets import belongs, why_nobodys, why_unsettled
from reconciler.core.errors import SinkError
from reconciler.plan.secrets.places import (
    brings_secret,
    places_in_sink,
    swept_ids,
    warn_of_missing,
    warn_of_overwritten,
    warn_of_runner,
    with_true_places,
)
from reconciler.sinks import folder
from reconciler.validation.folders import SPOOL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.apply.context import OpenTarget
    from reconciler.core.changes import TargetPlan
    from reconciler.core.model import Inventory
    from reconciler.core.project import Project
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.sinks.registry import SafeSink


# What each CI system sets on its runners; CI, which nearly all of them set, comes last.
_RUNNERS: Final = (
    ("GITHUB_ACTIONS", "GitHub Actions"),
    ("GITLAB_CI", "GitLab"),
    ("TF_BUILD", "Azure Pipelines"),
    ("JENKINS_URL", "Jenkins"),
    ("TEAMCITY_VERSION", "TeamCity"),
    ("BUILDKITE", "Buildkite"),
    ("CIRCLECI", "CircleCI"),
    ("BITBUCKET_BUILD_NUMBER", "Bitbucket Pipelines"),
    ("CODEBUILD_BUILD_ID", "AWS CodeBuild"),
    ("DRONE", "Drone"),
    ("TRAVIS", "Travis CI"),
    ("CI", "a CI system"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSecrets:
    """What is recorded of a target, and where its secrets were found, by the clients' remote ids.

    `inventory` calls no secret spooled that is in no private file: those clients are `swept`.
    """

    inventory: Inventory
    spooled: frozenset[str]
    swept: frozenset[str]
    stored: frozenset[str]


def find_secrets(session: OpenInventory, sink: SafeSink, target: str) -> FoundSecrets:
    """What the record, the private files and, where these leave a question, the sink say of secrets."""
    inventory = session.inventory
    waiting = session.spooled_secrets()
    spooled = frozenset(each.remote_id for each in waiting if not each.unsettled)
    swept = swept_ids(inventory, spooled)
    # Of a client that is recorded, and whose file is there, no sink has to be asked.
    keys = {key for key, entry in inventory.entries.items() if entry.remote_id in swept}
    stored = _held(sink, target, keys | inventory.pending.keys())
    return FoundSecrets(
        inventory=with_true_places(inventory, swept, stored),
        spooled=spooled,
        swept=swept,
        stored=stored,
    )


def _held(sink: SafeSink, target: str, keys: Iterable[str]) -> frozenset[str]:
    """The clients whose secret the sink has under one of the keys."""
    holders: set[str | None] = set()
    for key in keys:
        # A sink that fails here leaves the secret called lost, which is the safe mistake.
        with suppress(SinkError):
            holders.add(sink.holder(target, key))
    return frozenset(remote_id for remote_id in holders if remote_id is not None)


def missing_secrets(
    project: Project, opened: OpenTarget, keys: Iterable[str], *, one_by_one: bool = False
) -> Mapping[str, str] | None:
    """Of the clients `keys` whose secret the record calls stored those whose sink has none, by key why.

    None where the sink cannot be asked; with `one_by_one` it may cost a call for each.
    """
    inventory, targets = opened.context.inventory, project.targets
    own = opened.context.target.sink
    places = {
        key: found
        for key, found in places_in_sink(inventory, keys).items()
        # Of a client that came from a target with another sink, this one knows nothing.
        if all(name not in targets or targets[name].sink == own for name, _ in found)
    }
    asked = {
        place: inventory.entries[key].login_id for key, found in places.items() for place in found
    }
    try:
        missing = opened.sink.missing(asked, one_by_one=one_by_one)
    except SinkError:
        return None
    if missing is None:
        return None
    return {
        key: missing[found[0]]
        for key, found in places.items()
        if all(place in missing for place in found)
    }


def warn_of_secrets(project: Project, opened: OpenTarget, plan: TargetPlan) -> tuple[str, ...]:
    """Warnings of secrets that are not where the record says, and of those that wait for their sink."""
    missing = missing_secrets(project, opened, [change.key for change in plan.changes])
    new = [change.key for change in plan.changes if brings_secret(change)]
    inventories = [(opened.name, opened.context.inventory)]
    inventories += [(each.target, each.inventory) for each in opened.context.neighbours]
    return (
        *_warn_of_spooled(opened),
        *warn_of_missing(missing or {}),
        *warn_of_overwritten(plan.changes, inventories),
        *filter(None, [warn_of_files(new, opened)]),
    )


def warn_of_files(keys: Iterable[str], opened: OpenTarget) -> str:
    """A warning where new secrets of the clients `keys` go to files of a runner, "" for none."""
    kind, runner = opened.context.target.sink.kind, ci_system()
    # A sink of another kind may have to be loaded to say where it is.
    return (
        warn_of_runner(sorted(keys), opened.sink.place, runner) if kind == "file" and runner else ""
    )


def probe_spool(project: Project) -> None:
    """Prove that private files can be written where the user wants them. Raises SinkError and InventoryError."""
    refuse_taken_spool(project)
    stated = spool_folder(project)
    if stated is not None:
        folder.probe(stated, b"")
    # That the inventory's own folder can be written is proven by the lock, which is there too.
    folder.probe_private(stated or Path(project.root, project.inventory_directory, SPOOL))


def ci_system() -> str:
    """The CI system on whose runner this is, as it says in the environment; "" on no runner."""
    return next((name for variable, name in _RUNNERS if _is_set(variable)), "")


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no")


def _warn_of_spooled(opened: OpenTarget) -> Iterator[str]:
    """Warnings of secrets that wait for their sink and that no change of the plan warns of."""
    entries = opened.context.inventory.entries
    for spooled in opened.session.spooled_secrets():
        entry = entries.get(spooled.key)
        if entry is not None and (entry.remote_id, entry.secret) == (spooled.remote_id, "spooled"):
            continue
        if spooled.unsettled:
            yield why_unsettled(spooled)
        elif belongs(opened.context.inventory, spooled, opened.context):
            yield f"the secret of {spooled.key} waits in {spooled.path}: apply gives it to its sink first"
        else:
            yield f"{spooled.path}: {why_nobodys(spooled)}"
