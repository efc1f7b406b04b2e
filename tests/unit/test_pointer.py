import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import MISSING
from reconciler.core.pointer import escape, resolve, unescape

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


def test_a_token_is_escaped_as_rfc_6901_says():
    assert escape("a/b~c") == "a~1b~0c"


@given(st.text())
def test_an_escaped_token_stands_for_the_name_and_leads_to_its_member(name):
    assert unescape(escape(name)) == name
    assert resolve({name: 1}, f"/{escape(name)}") == 1
