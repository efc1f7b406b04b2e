"""What a server shows in the place of a secret, told from a secret."""

import pytest

from reconciler.provider.masks import is_mask


@pytest.mark.parametrize(
    "shown",
    [
        "***",
        "**********",
        "********abcd",
        "abcd****",
        "ab****yz",
        "••••••••",
        "●●●●",
        "xxxxxxxx",
        "XXXX",
        "####",
        "--------",
        "......",
        "<redacted>",
        "[REDACTED]",
        "(hidden)",
        "$encrypted$",
        "$ENCRYPTED$",
        "__secret__",
        "{secret}",
        "<value set>",
        "hidden",
        "Masked",
        "redacted",
        " ***** ",
        "<not shown>",
    ],
)
def test_a_mask_is_none_of_a_clients_secrets(shown):
    assert is_mask(shown)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        None,
        7,
        ["***"],
        "hunter2",
        "secret",
        "password",
        "a*b*c*d",
        "p**d",
        "xxXX",
        "xx",
        "hidden-in-plain-sight",
        "3Hx9-kLm_Qe.77",
        "x" * 7 + "y",
        "s3cr3t-c0001",
    ],
)
def test_a_secret_is_not_taken_for_a_mask(secret):
    assert not is_mask(secret)


def test_a_schema_may_name_a_mask_of_the_servers_own():
    assert is_mask("set", ["set"])
    assert is_mask("", ["", "set"])
    assert not is_mask("unset", ["set"])
