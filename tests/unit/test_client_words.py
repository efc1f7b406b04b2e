"""The words of a client schema, as its own schema lists them and as they are checked."""

from __future__ import annotations

import json

from support.vendors import SCHEMAS

from reconciler.validation.vocabulary.words import WORDS


def test_every_word_of_the_schema_is_checked_and_no_other():
    schema = json.loads((SCHEMAS / "client.schema.json").read_text("utf-8"))

    assert schema["$defs"]["facts"]["properties"].keys() == WORDS.keys()
