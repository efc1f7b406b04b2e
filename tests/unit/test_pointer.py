import pytest

from reconciler.core.model import MISSING
from reconciler.core.pointer import resolve

DOCUMENT = {"a/b": 1, "m~n": 2, "list": [{"text": "x"}], "": 3, "none": None}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DOCUMENT),
        ("/a~1b", 1),
        ("/m~0n", 2),
        ("/", 3),
        ("/none", None),
        ("/list/0/text", "x"),
        ("/list/1", MISSING),
        ("/list/-", MISSING),
        ("/list/text", MISSING),
        ("/other/deep", MISSING),
        ("/none/deep", MISSING),
    ],
)
def test_a_pointer_finds_its_value_or_says_that_there_is_none(pointer, value):
    assert resolve(DOCUMENT, pointer) == value
