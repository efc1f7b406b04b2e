"""The examples of single vendors are valid as they stand, and there is one for each that has a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.app.validate import validate

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples/vendors").iterdir())


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_of_a_vendor_is_valid(folder):
    found = validate(str(folder / "reconciler.yaml"))

    assert found.problems == ()
    assert found.clients == 1


def test_each_vendor_with_a_page_has_an_example():
    pages = {path.stem for path in (ROOT / "docs/vendors").glob("*.md")}

    assert pages == {folder.name for folder in EXAMPLES}
