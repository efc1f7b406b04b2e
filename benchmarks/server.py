"""Serves the sandbox in a process of its own, seeded with a fleet, until its input ends.

Prints one line of JSON: `env` (addresses and credentials) and `ids` (of the clients, in order).
"""

from __future__ import annotations

import argparse
import json
import sys

import fleet

from reconciler.sandbox.server import running


def main() -> None:
    """Serve as many clients as the command line says, each answer later by its latency."""
    options = argparse.ArgumentParser()
    options.add_argument("clients", type=int)
    options.add_argument("--latency", default="20ms")
    asked = options.parse_args()
    with running(rate_limit=None, faults=[f"latency={asked.latency}"], seed=fleet.SEED) as sandbox:
        ids = sandbox.seed("sailpoint", fleet.clients(asked.clients))
        print(json.dumps({"env": sandbox.env, "ids": ids}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
