import pytest

from reconciler.core.model import Secret
from reconciler.sinks.masking import MASK, masked

SECRET = Secret("nt-hunter2-of-json")


@pytest.mark.parametrize("text", ["Invalid argument", "web.json", "n", "", "hunte"])
def test_what_a_secret_has_in_common_with_the_end_of_a_text_is_left(text):
    assert masked(text, SECRET) == text


@pytest.mark.parametrize("part", ["nt-hunter2-of-json", "hunter2", "2-of-json"])
def test_a_longer_part_of_a_secret_is_masked_wherever_it_stands(part):
    assert masked(part, SECRET) == MASK
    assert masked(f"a {part} b", SECRET) == f"a {MASK} b"
    assert masked(f"at the end {part}", SECRET) == f"at the end {MASK}"


def test_a_short_secret_is_masked_whole():
    assert masked("abc, ab and abc", Secret("abc")) == f"{MASK}, ab and {MASK}"
