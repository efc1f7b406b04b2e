import base64
import html
import json
import quopri
import shlex
import unicodedata
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.masking import masker
from reconciler.core.masking.masker import LEFT_OUT, MASK, mask, mask_again

SECRETS = [
    'p4ss/w0rd+with=all "kinds" of \\ signs',
    "plain0secret0of0letters",
    "it's & <b>%41</b> \\n \\u0041 &amp; +1",
    "pässwörd-für-Zoë",
    "line1secret\nline2\tsecret",
    "PaSsWoRd\U0001f600Emoji-9",
    "$(rm -rf); `x` | 'y' \"z\" #1",
]


def every(pattern):
    return lambda text: "".join(pattern.format(ord(c)) for c in text)


def each_byte(pattern):
    return lambda text: "".join(pattern.format(byte) for byte in text.encode())


def base64_behind(before, code=base64.b64encode):
    return lambda text: code(before.encode() + text.encode() + b"!").decode()


SPELLINGS = {
    "as it is": str,
    "in capitals": str.upper,
    "in lower case": str.lower,
    "in JSON": json.dumps,
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "in JSON of ASCII with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "in JSON as it is": lambda text: json.dumps(text, ensure_ascii=False),
    "each unit escaped": lambda text: "".join(
        f"\\u{unit:04X}" for unit in memoryview(text.encode("utf-16-le")).cast("H")
    ),
    "each unit as JavaScript escapes it": lambda text: "".join(
        f"%u{unit:04x}" for unit in memoryview(text.encode("utf-16-le")).cast("H")
    ),
    "each point in braces": every("\\u{{{:x}}}"),
    "each point in eight digits": every("\\U{:08x}"),
    "percent": lambda text: quote(text, safe=""),
    "percent in small letters": lambda text: quote(text, safe="").lower(),
    "percent in a form": quote_plus,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent of each byte": each_byte("%{:02X}"),
    "percent of Latin-1": lambda text: quote(text.encode("latin-1", "replace"), safe=""),
    "in Python": repr,
    "bytes in Python": lambda text: repr(text.encode()),
    "octal": each_byte("\\{:03o}"),
    "hex escapes": each_byte("\\x{:02X}"),
    "in HTML": html.escape,
    "in HTML twice": lambda text: html.escape(html.escape(text)),
    "in HTML by numbers": every("&#{};"),
    "in HTML by hexadecimal numbers": every("&#x{:X};"),
    "for a shell": shlex.quote,
    "for a shell with backslashes": lambda text: "".join(
        c if c.isalnum() else f"\\{c}" for c in text
    ),
    "in hexadecimal": lambda text: text.encode().hex(),
    "in hexadecimal capitals": lambda text: text.encode().hex().upper(),
    "in hexadecimal with colons": lambda text: text.encode().hex(":"),
    "in a dump": lambda text: text.encode().hex(" "),
    "in a dump of pairs": lambda text: text.encode().hex(" ", 2),
    "in a mail": lambda text: quopri.encodestring(text.encode()).decode(),
    "as numbers": lambda text: str(list(text.encode())),
    "in Base64": base64_behind(""),
    "in Base64 behind one": base64_behind("a"),
    "in Base64 behind two": base64_behind("ab"),
    "in Base64 behind a client id": base64_behind("id:"),
    "in Base64 for URLs": base64_behind("x", base64.urlsafe_b64encode),
    "in Base64 for URLs without padding": lambda text: (
        base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    ),
    "in Base64 of JSON": lambda text: base64.b64encode(json.dumps([text]).encode()).decode(),
    "in Base64 of what is in a form": lambda text: base64.b64encode(
        quote_plus(text).encode()
    ).decode(),
    "in Base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "in Base64 in a query": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "in Base64 in lines": lambda text: base64.encodebytes(text.encode() * 3).decode().strip(),
    "in Base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "in hexadecimal of Base64": lambda text: base64.b64encode(text.encode()).hex(),
    "read as Latin-1": lambda text: text.encode().decode("latin-1"),
    "read as Windows-1252": lambda text: text.encode().decode("cp1252", "replace"),
    "letters that were lost": lambda text: text.encode("ascii", "replace").decode(),
    "decomposed": lambda text: unicodedata.normalize("NFKD", text),
    "broken into lines": lambda text: "\n  ".join((text[:7], text[7:14], text[14:])),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_taken_out_however_a_program_spells_it(spelt, secret):
    form = spelt(secret)

    shown = mask(f"refused: {form} here", [secret])

    assert shown.startswith("refused: ")
    assert shown.endswith(" here")
    assert MASK in shown
    left = shown.replace(MASK, "\0")
    assert not any(form[at : at + 10] in left for at in range(len(form) - 9)), left


@given(st.text(min_size=12, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_longer_part_of_a_secret_is_ever_left(secret, before, after):
    shown = mask(f"{before}{secret}{after}", [secret]).replace(MASK, "\0")

    parts = {secret[place : place + 6] for place in range(len(secret) - 5)}
    assert not any(part in shown for part in parts if "\0" not in part)


@given(st.text(max_size=300), st.text(min_size=1, max_size=30))
def test_any_text_is_read_to_its_end(text, secret):
    assert isinstance(mask(text, [secret]), str)


@pytest.mark.parametrize("length", range(4, 13))
@pytest.mark.parametrize("cut", ["", "...", "\u2026", "[truncated]", " (cut)"])
def test_the_beginning_of_a_secret_where_a_text_was_cut_is_taken_out(length, cut):
    secret = "Passw0rd-QQ7Z"

    shown = mask(f"invalid value {secret[:length]}{cut}", [secret])

    assert shown in (f"invalid value {MASK}{cut}", f"invalid value {MASK}{cut.lstrip()}") or (
        secret[:4] not in shown
    )
    assert secret[:4] not in shown or cut == " (cut)"


def test_a_part_of_a_secret_is_taken_out_too():
    assert mask("the key abcdefgh... was wrong", ["abcdefghijkl"]) == f"the key {MASK}... was wrong"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("abc", "invalid value abc"),
        ("1234", "pin 1234 or 12"),
        ("1234", "pin 31 32 33 34"),
        ("hunter2", "bad HUNTER2 here"),
        ("hunter2", "bad hunter... here"),
        ("hunter2", f"bad {base64.b64encode(b'id:hunter2').decode()} here"),
        ('a"b', r'invalid value "a\"b"'),
        ("a'b\"c", "invalid value 'a'\"'\"'b\"c'"),
        ("x", "an example"),
        ("p%&", "at p%25%26"),
        ("é-1", "invalid value Ã©-1"),
    ],
)
def test_nothing_is_left_of_a_text_that_repeats_a_short_secret(secret, text):
    assert mask(text, ["another-secret", secret]) == LEFT_OUT
    assert mask_again(f"{text}, {MASK}", [secret]) == LEFT_OUT


@pytest.mark.parametrize("secret", ["", "a-secret-that-is-not-there", "zq7"])
def test_a_text_without_the_secret_is_left_as_it_is(secret):
    text = "permission denied: %zz \\ &nope; \\x4 &#99999999; \\U00110000 MTIz 12, 13"

    assert mask(text, [secret]) == text
    assert mask_again(text, [secret]) == text


def test_repeated_forms_side_by_side_are_one_mask():
    assert mask("abcdefghabcdefgh", ["abcdefgh"]) == MASK


@pytest.mark.parametrize("text", ["Invalid argument", "web.json", "n", "", "hunte"])
def test_what_a_secret_has_in_common_with_the_end_of_a_text_is_left(text):
    assert mask(text, ["nt-hunter2-of-json"]) == text


@pytest.mark.parametrize("part", ["nt-hunter2-of-json", "hunter2", "2-of-json"])
def test_a_longer_part_of_a_secret_is_masked_wherever_it_stands(part):
    secrets = ["nt-hunter2-of-json"]

    assert mask(part, secrets) == MASK
    assert mask(f"a {part} b", secrets) == f"a {MASK} b"
    assert mask(f"at the end {part}", secrets) == f"at the end {MASK}"


def test_a_secret_that_no_encoding_takes_is_taken_out_as_well():
    assert mask("it is \ud800-hunter2!", ["\ud800-hunter2"]) == f"it is {MASK}!"


def test_a_secret_within_another_leaves_nothing_of_that():
    assert mask("key abcdefgh-ijklmnop!", ["abcdefgh", "abcdefgh-ijklmnop"]) == f"key {MASK}!"


def test_a_secret_in_pieces_is_found_when_they_stand_together():
    pieces = json.dumps(["hunt", "er2-", "hunt"])

    assert mask_again(f'{MASK} {pieces}"', ["hunter2-hunt"]) == f'{MASK} ["{MASK}"]"'


def test_the_words_of_a_mask_are_no_secret():
    assert mask_again(f"a {MASK} b {LEFT_OUT}", ["secret-repeats"]) == f"a {MASK} b {LEFT_OUT}"


def test_capitals_that_become_two_letters_leave_the_rest_in_its_place():
    assert mask("İİİ hunter2-hunter2 İ", ["hunter2-hunter2"]) == f"İİİ {MASK} İ"


@pytest.mark.parametrize("piece", ["%25", "\\", "\\u005c", "&amp;", "aGk9", "41 ", "ab", "7, "])
def test_the_work_grows_no_faster_than_the_text(piece, monkeypatch):
    """Counted in characters that are looked at, since no clock is to be trusted."""
    looked_at = []
    seen = masker.skeleton
    monkeypatch.setattr(
        masker, "skeleton", lambda view: looked_at.append(len(view.text)) or seen(view)
    )

    def work(times):
        looked_at.clear()
        mask(piece * times, ["hunter2-hunter2"])
        return sum(looked_at)

    assert work(400) <= 2.2 * work(200)
