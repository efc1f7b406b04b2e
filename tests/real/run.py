"""Runs the life of clients on each real server, and prints a table of what came of it.

python tests/real/run.py [--cache FOLDER] [NAME ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from real import servers
from real.getting import MissingTool
from real.life import Failed, Life, steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

ROOT = Path(__file__).parents[2]
SERVERS: dict[str, Callable[[Path], AbstractContextManager[servers.Server]]] = {
    "keycloak": servers.keycloak,
    "hydra": servers.hydra,
    "oidc-provider": servers.oidc_provider,
    "oidc-provider-rotating": partial(servers.oidc_provider, rotates=True),
}


def main() -> int:
    """Run what is asked for; 1 where a life did not end well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=ROOT / ".real")
    parser.add_argument("names", nargs="*", choices=[[], *SERVERS], default=[])
    stated = parser.parse_args()
    stated.cache.mkdir(exist_ok=True)
    rows, failed = [], False
    for name in stated.names or SERVERS:
        row, well = lived(name, stated.cache.absolute())
        rows.append(row)
        failed = failed or not well
    print("\n| server | version | what was done, in this order |\n|---|---|---|")
    print("\n".join(rows))
    return 1 if failed else 0


def lived(name: str, cache: Path) -> tuple[str, bool]:
    """The row of one server, and whether all of its life went well."""
    print(f"== {name}", flush=True)
    done: list[str] = []
    try:
        with SERVERS[name](cache) as server, tempfile.TemporaryDirectory() as home:
            try:
                for step in steps(Life(Path(home) / "work", server)):
                    print(f"   {step}", flush=True)
                    done.append(step)
            except (Failed, OSError, ValueError, KeyError, RuntimeError) as error:
                print(error)
                words = f"{', '.join(done)}; then it FAILED: {str(error).splitlines()[0]}"
                return f"| {server.name} | {server.version} | {words} |", False
            return f"| {server.name} | {server.version} | {', '.join(done)} |", True
    except MissingTool as missing:
        print(f"   skipped: {missing}")
        return f"| {name} | | skipped: {missing} |", True


if __name__ == "__main__":
    raise SystemExit(main())
