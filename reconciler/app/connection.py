"""Turns what the project file says of one target into its connection, its sink and its store."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.app.sparse_record import refuse_record_left_out
from reconciler.core.errors import InventoryError
from reconciler.core.project import (
    ClientCredentials,
    Password,
    StaticToken,
    Target,
    secret_variables,
)
from reconciler.core.secrets import reveal
from reconciler.http.connection import Connection, Credentials, Rate, UserPassword
from reconciler.inventory.file import FileStore
from reconciler.manifests.project import folder_problems
from reconciler.project_folder import why_not_follow
from reconciler.provider.model import ClientAuthentication
from reconciler.sinks.contract import Setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.model import Secret
    from reconciler.core.project import Auth, Project, RateLimit
    from reconciler.inventory.backend import InventoryStore
    from reconciler.manifests.references import Credentials as Login
    from reconciler.provider.model import Provider

SPOOL_VARIABLE: Final = "RECONCILER_SPOOL"


def store_of(project: Project) -> InventoryStore:
    """Where the records of a project's targets are kept. InventoryError for one that is not checked out."""
    directory = _below_root(project, project.inventory_directory)
    # Also where nothing was validated: some commands mend the record of a project that is broken.
    if why := why_not_follow(project.inventory_directory, project.root):
        raise InventoryError(
            f"{project.inventory_directory} {why}: nothing is read or written there"
        )
    spool = spool_folder(project)
    if project.inventory_url is None:
        refuse_record_left_out(project)
        return FileStore(directory, spool=spool)
    from reconciler.inventory.objects import ObjectStore  # noqa: PLC0415 - few need it

    # Secrets that their sink refused stay on this machine, and never get into the bucket (0014).
    return ObjectStore(
        project.inventory_url, private=directory, spool=spool, options=project.inventory_options
    )


def spool_folder(project: Project) -> Path | None:
    """The folder that is stated for secrets which their sink would not take, None for none.

    The variable comes before the project file: a runner says where it keeps files between two jobs.
    Raises InventoryError for the home folder of nobody.
    """
    stated = os.environ.get(SPOOL_VARIABLE, "").strip() or project.spool
    try:
        return None if stated is None else Path(project.root, Path(stated).expanduser())
    except RuntimeError:
        problem = f"the folder for private files {stated}: there is no such home folder"
    raise InventoryError(problem)


def refuse_taken_spool(project: Project) -> None:
    """Raise InventoryError where the folder that the variable names is one of another purpose."""
    variable = os.environ.get(SPOOL_VARIABLE, "").strip()
    if variable:
        for problem in folder_problems(replace(project, spool=variable)):
            raise InventoryError(f"{SPOOL_VARIABLE}: {problem.message}")


def sink_setting(project: Project, target: Target) -> Setting:
    """What the target's sink is made from."""
    return Setting(
        target=target.name,
        root=project.root,
        options=target.sink.options,
        # Of all targets: a sink's command must not inherit what the tool logs in with anywhere.
        withheld=secret_variables(project),
    )


def connection_to(
    project: Project,
    target: Target,
    provider: Provider,
    login: Login,
    log: Callable[[str], None],
) -> Connection:
    """How the target's server is reached."""
    return Connection(
        target=target.name,
        provider=provider,
        base_url=target.base_url,
        auth=_auth(target.auth, provider, login),
        token_url=_token_url(target, provider),
        token_scope=getattr(target.auth, "scope", None) or provider.token.scope,
        rate=_rate(target.rate_limit or provider.rate_limit, target.share),
        ca_bundle=None if target.ca_bundle is None else _below_root(project, target.ca_bundle),
        connect_timeout=target.connect_timeout,
        read_timeout=target.read_timeout,
        workers=target.concurrency or provider.concurrency,
        log=log,
    )


def _auth(
    stated: Auth, provider: Provider, login: Login
) -> Credentials | UserPassword | Secret | None:
    name = "" if login.name is None else str(reveal(login.name))
    if isinstance(stated, ClientCredentials):
        how = provider.token.client_authentication
        return Credentials(
            client_id=name,
            client_secret=login.secret,
            # Who states a key has one: a server that takes secrets mostly takes assertions too.
            authentication=ClientAuthentication.PRIVATE_KEY_JWT if stated.private_key else how,
            key_id=stated.key_id,
            algorithm=stated.algorithm,
            parameters={**provider.token.parameters, **stated.parameters},
        )
    if isinstance(stated, Password):
        return UserPassword(username=name, password=login.secret)
    return login.secret if isinstance(stated, StaticToken) else None


def _token_url(target: Target, provider: Provider) -> str | None:
    if isinstance(target.auth, ClientCredentials) and target.auth.token_url is not None:
        return target.auth.token_url
    return None if provider.token.path is None else target.base_url + provider.token.path


def _rate(limit: RateLimit | None, share: float) -> Rate | None:
    if limit is None:
        return None
    return Rate(requests=limit.requests, seconds=limit.seconds, share=share)


def _below_root(project: Project, path: str) -> str:
    # By the project file and not by the working directory: CI runs the tool from elsewhere.
    return path if path.startswith("/") else f"{project.root}/{path}"
