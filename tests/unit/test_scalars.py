import pytest

from reconciler.core.scalars import DOUBTFUL_STARTS, YAML_1_1_BOOLEANS, resolve


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None),
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
        ("0", 0), ("12", 12), ("+12", 12), ("-12", -12), ("012", 12), ("-0012", -12),
        ("0o14", 12), ("0x1F", 31), ("0xabc", 2748), ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-3", -0.0015), ("+.5e1", 5.0),
    ],
)  # fmt: skip
def test_a_plain_scalar_has_the_value_that_yaml_1_2_gives_it(text, expected):
    found = resolve(text)

    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    "text",
    ["no", "Yes", "off", "y", "nULL", "tRUE", "12:30", "1_000", "0b11", "0o8", "0xg", "-0x1", "+0o7",
     "1e", "e3", ".", "-", "+", "--1", "1.2.3", "2026-01-01", "٣", "١٢", "0o", " 1", "1\n"],
)  # fmt: skip
def test_everything_else_is_a_string(text):
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".inf", "`.inf` is not a number that JSON has"),
        ("-.Inf", "`-.Inf` is not a number that JSON has"),
        (".NaN", "`.NaN` is not a number that JSON has"),
        ("18446744073709551616", "this number does not fit into 64 bits"),
        ("-9223372036854775809", "this number does not fit into 64 bits"),
        ("0x" + "f" * 17, "this number does not fit into 64 bits"),
        ("1" * 401, "this number does not fit into 64 bits"),
        ("1e999", "this number is too large"),
    ],
)
def test_a_number_without_a_place_in_json_is_an_error(text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        resolve(text)

    assert str(caught.value) == message


def test_no_text_that_means_something_else_starts_unsuspiciously():
    telling = [*YAML_1_1_BOOLEANS, "", "~", "null", "true", "False", "+1", "-1", ".5", "0x1", "9"]

    assert all(text[:1] in DOUBTFUL_STARTS for text in telling)
