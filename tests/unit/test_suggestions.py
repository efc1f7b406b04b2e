import pytest

from reconciler.validation.suggestions import closest_name, did_you_mean, list_known, suggest


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("shp", ["shop", "orders"], "did you mean `shop`?"),
        ("zzz", ["shop", "orders"], "known are: orders, shop"),
        ("zzz", [], "there is none"),
    ],
)
def test_the_hint_for_an_unknown_word_is_the_nearest_or_all(word, known, hint):
    assert suggest(word, known) == hint


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("providentclient", ["BorutaClient", "ProvidentClient"], "ProvidentClient"),
        ("redirect_uris", ["redirectUris", "scopes"], "redirectUris"),
        ("RedirectURIs", ["redirectUris", "scopes"], "redirectUris"),
        ("aws-secretmanager", ["aws-secretsmanager", "file"], "aws-secretsmanager"),
        ("shop_dev", ["shop-prod", "shop-dev"], "shop-dev"),
        ("zzz", ["shop"], ""),
        (7, ["7"], ""),
        ("x" * 61, ["x" * 60], ""),
    ],
)
def test_the_closest_name_is_found_whatever_its_case_hyphens_and_underscores(name, known, meant):
    assert closest_name(name, known) == meant


def test_of_two_names_that_are_spelled_alike_the_first_is_meant():
    assert closest_name("ab", ["a_b", "a-b"]) == "a_b"


def test_every_hint_is_worded_in_one_place():
    assert did_you_mean("shop") == "did you mean `shop`?"
    assert did_you_mean("") == ""
    assert list_known({"b": 1, "a": 2}) == "known are: a, b"
    assert list_known([]) == "there is none"
