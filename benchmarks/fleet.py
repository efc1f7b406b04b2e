"""Turns a seed and a number into a fleet of SailPoint clients: as values, and as a repo of YAML files."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SEED: Final = 20260901
_TEAMS: Final = ("directory", "governance", "orders", "payments", "reporting", "stores", "web")
_NOUNS: Final = ("archive", "bridge", "console", "export", "gateway", "import", "portal", "sync")
_SCOPES: Final = tuple(
    f"{realm}:{thing}:{act}"
    for realm in ("idn", "sp")
    for thing in ("accounts", "access-profile", "audit", "entitlement", "sources", "workflow")
    for act in ("read", "manage")
)


def clients(count: int, seed: int = SEED) -> list[dict[str, Any]]:
    """Give `count` specs by SailPoint's field names, the same for the same seed."""
    chance = random.Random(seed)
    return [_client(number, chance) for number in range(count)]


def _client(number: int, chance: random.Random) -> dict[str, Any]:
    team, noun = chance.choice(_TEAMS), chance.choice(_NOUNS)
    interactive = chance.random() < 0.5  # noqa: PLR2004 - half of them have users
    host = f"{noun}-{number}.{team}.example.com"
    spec: dict[str, Any] = {
        "name": f"{team.capitalize()} {noun} {number}",
        "description": f"The {noun} of the {team} team, number {number} of its kind",
        "businessName": "Example Stores",
        "homepageUrl": f"https://{host}",
        "accessTokenValiditySeconds": chance.choice((600, 750, 1200, 3600)),
        "grantTypes": ["CLIENT_CREDENTIALS"],
        "accessType": "OFFLINE",
        "type": "CONFIDENTIAL",
        "enabled": chance.random() < 0.9,  # noqa: PLR2004 - most are in use
        "strongAuthSupported": False,
        "scope": chance.sample(_SCOPES, chance.randint(1, 4)),
    }
    if interactive:
        spec["grantTypes"] = ["AUTHORIZATION_CODE", "REFRESH_TOKEN"]
        spec["refreshTokenValiditySeconds"] = 43200
        paths = chance.sample(("callback", "mobile", "renew", "test"), chance.randint(1, 3))
        spec["redirectUris"] = [f"https://{host}/{path}" for path in paths]
    return spec


def key(number: int) -> str:
    """Give the `metadata.name` of the client of this number."""
    return f"client-{number:05d}"


def write(
    folder: Path, specs: Sequence[Mapping[str, Any]], ids: Sequence[str] | None, per_file: int
) -> None:
    """Write the clients as YAML, `per_file` to a file; with `ids` each is bound by metadata.id."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(specs), per_file):
        numbers = range(start, min(start + per_file, len(specs)))
        documents = [
            document(number, specs[number], None if ids is None else ids[number])
            for number in numbers
        ]
        (folder / f"{key(start)}.yaml").write_text("---\n".join(documents), encoding="utf-8")


def document(number: int, spec: Mapping[str, Any], remote_id: str | None) -> str:
    """Give one client as YAML, the way a person would write it: block style, few quotes."""
    lines = [
        "apiVersion: reconciler/v1",
        "kind: SailPointClient",
        "metadata:",
        f"  name: {key(number)}",
        "  target: fleet",
        *([] if remote_id is None else [f"  id: {remote_id!r}"]),
        "  labels:",
        f"    team: {str(spec['name']).split()[0].lower()}",
        "spec:",
    ]
    for name, value in spec.items():
        if isinstance(value, list):
            lines += [f"  {name}:", *(f"    - {member}" for member in value)]
        else:
            lines.append(f"  {name}: {_scalar(value)}")
    return "\n".join(lines) + "\n"


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def project(base_url: str) -> str:
    """Give a project file for one target on the sandbox, its rate limit out of the way."""
    return f"""\
apiVersion: reconciler/v1
kind: Project
targets:
  fleet:
    provider: sailpoint
    baseUrl: {base_url}
    auth:
      clientId: {{env: SAILPOINT_ID}}
      clientSecret: {{env: SAILPOINT_SECRET}}
    manifests: [clients/**/*.yaml]
    rateLimit: {{requests: 100000, per: 1s, share: 1}}
"""
