"""Which names every file system can hold, and which two of them some system takes for one file."""

from __future__ import annotations

import pytest

from reconciler.core.file_names import is_portable, same_file_form


@pytest.mark.parametrize(
    "name",
    [
        *("con", "CON", "con.yaml", "Aux.tar.gz", "NUL.txt.yaml", "prn ", "nul .yaml"),
        *("com1.yaml", "COM0", "com9.x", "lpt0.yaml", "LPT5", "com¹.yaml", "lpt³", "COM²"),
        *("conin$", "CONOUT$.txt", "clock$"),
        *("a.", "a ", "a.yaml.", ".", "..", "", " ", "..."),
        *("a<b", "a>b", "a:b", 'a"b', "a/b", "a\\b", "a|b", "a?b", "a*b"),
        *("a\0b", "a\nb", "a\tb", "a\x1fb", "a\x7fb", "\ud800"),
        *("a" * 256, "é" * 128),
    ],
)
def test_a_name_that_some_system_cannot_hold(name: str) -> None:
    assert not is_portable(name)


@pytest.mark.parametrize(
    "name",
    [
        *("web.yaml", "console.yaml", "com.yaml", "com10.yaml", "lpt.yaml", "nul-2.yaml"),
        *("conin.yaml", "a.con", "x.nul.yaml", ".yaml", "-", " a", "a b.yaml", "prn_.json"),
        *("é.yaml", "client-con.yaml", "a" * 255, "é" * 127),
    ],
)
def test_a_name_that_every_system_can_hold(name: str) -> None:
    assert is_portable(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Web.yaml", "web.YAML"),
        ("caf\u00e9.yaml", "cafe\u0301.yaml"),
        ("CAF\u00c9", "cafe\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("\u03a3", "\u03c2"),
        ("\u212b", "\u00e5"),
    ],
)
def test_two_names_that_some_system_takes_for_one(one: str, other: str) -> None:
    assert same_file_form(one) == same_file_form(other)


@pytest.mark.parametrize(
    ("one", "other"), [("web", "web2"), ("cafe", "caf\u00e9"), ("a.yml", "a.yaml")]
)
def test_two_names_that_no_system_takes_for_one(one: str, other: str) -> None:
    assert same_file_form(one) != same_file_form(other)
