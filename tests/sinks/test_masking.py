import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import Secret
from reconciler.sinks.masking import MASK, mask_secret

SECRET = 'p4ss/w0rd+with=all "kinds" of \\ signs'
SPELLINGS = {
    "as it is": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in Python": lambda text: repr(text)[1:-1],
    "in hexadecimal": lambda text: text.encode().hex(),
    "in Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in URL-safe Base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "behind a name in Base64": lambda text: base64.b64encode(f"id:{text}".encode()).decode(),
}


@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_taken_out_however_it_is_spelt(spelt):
    form = spelt(SECRET)

    shown = mask_secret(f"refused: {form}!", Secret(SECRET))

    assert shown.startswith("refused: ")
    assert "(secret)" in shown
    assert not any(form[place : place + 8] in shown for place in range(len(form) - 7))


@given(st.text(min_size=12, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_longer_part_of_a_secret_is_ever_left(secret, before, after):
    shown = mask_secret(f"{before}{secret}{after}", Secret(secret)).replace("(secret)", "\0")

    parts = {secret[place : place + 6] for place in range(len(secret) - 5)}
    assert not any(part in shown for part in parts if "\0" not in part)


def test_a_part_of_a_secret_is_taken_out_too():
    assert mask_secret("the key abcdefgh... is wrong", Secret("abcdefghijkl")) == (
        "the key (secret)... is wrong"
    )


def test_a_short_secret_is_taken_out_whole():
    assert mask_secret("pin 1234 or 12", Secret("1234")) == "pin (secret) or 12"


@pytest.mark.parametrize("secret", ["", "a-secret-that-is-not-there"])
def test_a_text_without_the_secret_is_left_as_it_is(secret):
    assert mask_secret("permission denied", Secret(secret)) == "permission denied"


def test_repeated_forms_side_by_side_are_one_mask():
    assert mask_secret("abcdefghabcdefgh", Secret("abcdefgh")) == "(secret)"


@pytest.mark.parametrize("text", ["Invalid argument", "web.json", "n", "", "hunte"])
def test_what_a_secret_has_in_common_with_the_end_of_a_text_is_left(text):
    assert mask_secret(text, Secret("nt-hunter2-of-json")) == text


@pytest.mark.parametrize("part", ["nt-hunter2-of-json", "hunter2", "2-of-json"])
def test_a_longer_part_of_a_secret_is_masked_wherever_it_stands(part):
    secret = Secret("nt-hunter2-of-json")

    assert mask_secret(part, secret) == MASK
    assert mask_secret(f"a {part} b", secret) == f"a {MASK} b"
    assert mask_secret(f"at the end {part}", secret) == f"at the end {MASK}"


def test_a_secret_that_no_encoding_takes_is_taken_out_as_well():
    assert mask_secret("it is \ud800-hunter2!", Secret("\ud800-hunter2")) == "it is (secret)!"
