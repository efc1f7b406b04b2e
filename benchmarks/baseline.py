"""Reads YAML files as PyYAML does with libyaml's help, and nothing else: what the ratios are against."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

for path in sorted(Path(sys.argv[1]).glob("**/*.yaml")):
    with path.open("rb") as file:
        # `yaml.load` is this for a file of one document.
        documents = list(yaml.load_all(file, Loader=yaml.CSafeLoader))
