"""JSON of one reading: what is refused, at which line, and that nothing else is raised."""

import pytest

from reconciler.inventory.strict_json import NotStrict, parse


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b'{\n"a": NaN}', 2),
        (b'{"a": 1,\n"a": 2}', 2),
        (b'{"a":\n1e999}', 2),
        (b'{"a": "\\ud800"}', 1),
        (b'\xef\xbb\xbf{"a": 1}', 1),
        (b"[" * 100_000, 0),
        (b"9" * 5000, 1),
        # Not JSON any more after what the decoder met first.
        (b'1e999"\n":', 1),
        (b'{"a": 1e999, "\x01": }', 1),
        (b'{"a": 1, "a": 2}"\n": ]}', 1),
        (b"1e999}}}{", 1),
    ],
)
def test_what_has_another_reading_is_refused_by_its_line(text, line):
    with pytest.raises(NotStrict) as caught:
        parse(text)

    assert caught.value.line == line


def test_what_has_one_is_read():
    assert parse(b'{"a": [1.5e3, "\\ud83d\\ude00", null], "": {}}') == {
        "a": [1500.0, "\U0001f600", None],
        "": {},
    }
