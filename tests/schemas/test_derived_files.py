"""What follows from the schemas is what lies in the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.manifest_examples import KINDS
from support.vendors import SCHEMAS, schema

from reconciler.provider.manifest_schema import derive

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_schema_for_editors_is_the_derived_one(kind):
    written = json.loads((SCHEMAS / KINDS[kind] / "manifest.schema.json").read_text("utf-8"))

    assert written == derive(schema(KINDS[kind], "client"), kind)


def test_the_generated_files_are_up_to_date():
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]

    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert (run.returncode, run.stderr) == (0, "")
