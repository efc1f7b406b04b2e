import pytest
from support.given import field

from reconciler.core.model import MISSING, Secret
from reconciler.core.values import same
from reconciler.plan.normalize import canonical, declared_part, same_texts

SCOPES = field(
    "authorized_scopes",
    is_set=True,
    compare_by=("id", "name"),
    schema={"items": {"properties": {"id": {}, "name": {}, "public": {"readOnly": True}}}},
)
OPENID = {"id": "1", "name": "openid", "public": True}
EMAIL = {"id": "2", "name": "email", "public": False}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": [0]}, {"a": [False]}, False),
        ({"a": 1}, {"a": 1}, True),
        ([1, 2], [2, 1], False),
        (None, MISSING, False),
        ("a", "a", True),
    ],
)
def test_equality_is_that_of_json_and_not_of_python(one, other, expected):
    assert same(one, other) is expected


def test_a_set_has_one_spelling_whatever_the_order():
    uris = field("redirectUris", is_set=True)

    assert canonical(uris, ["b", "a"]) == canonical(uris, ["a", "b"]) == ["a", "b"]


def test_a_set_keeps_its_duplicates():
    assert canonical(field("uris", is_set=True), ["a", "b", "a"]) == ["a", "a", "b"]


def test_a_list_that_is_no_set_keeps_its_order():
    assert canonical(field("steps"), ["b", "a"]) == ["b", "a"]


@pytest.mark.parametrize("value", [None, "", MISSING])
def test_values_that_mean_the_same_have_one_spelling(value):
    assert canonical(field("homepageUrl", equal=((None, ""),)), value) is None


def test_a_missing_member_is_not_null_unless_the_schema_says_so():
    assert canonical(field("pkce"), MISSING) is MISSING
    assert canonical(field("mode", equal=(("a", "b"),)), MISSING) is MISSING


def test_a_set_of_secrets_is_sorted_without_showing_them():
    assert canonical(field("s", is_set=True), [Secret("b"), "a"]) == ["a", Secret("b")]


def test_what_is_not_declared_inside_an_object_is_not_compared():
    provider = field("identity_provider")

    assert declared_part(provider, {"id": "1"}, {"id": "2", "name": "x"}) == {"id": "2"}
    assert declared_part(provider, {"id": {"a": 1}}, {"id": {"a": 2, "b": 3}}) == {"id": {"a": 2}}
    assert declared_part(provider, {"id": "1"}, None) is None


def test_members_of_a_set_are_known_by_what_the_manifest_calls_them():
    wanted = [{"name": "openid"}, {"id": "2"}]

    assert canonical(SCOPES, declared_part(SCOPES, wanted, [EMAIL, OPENID])) == canonical(
        SCOPES, wanted
    )


def test_a_member_that_nobody_wants_shows_by_what_identifies_it():
    assert declared_part(SCOPES, [], [EMAIL]) == [{"id": "2", "name": "email"}]


def test_a_wanted_member_that_is_not_live_is_left_out():
    assert declared_part(SCOPES, [{"name": "profile"}], [OPENID]) == [{"id": "1", "name": "openid"}]


def test_one_live_member_may_be_wanted_under_both_its_names():
    wanted = [{"name": "openid"}, {"id": "1"}]

    assert declared_part(SCOPES, wanted, [OPENID]) == wanted


def test_members_of_a_strange_shape_are_compared_as_they_are():
    assert declared_part(SCOPES, ["odd", {}], ["odd", 7]) == ["odd", 7]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ([], [], True),
        (["a", "b"], ["b", "a"], True),
        (["a", "a", "b"], ["a", "b", "b"], False),
        (["a"], ["a", "a"], False),
        (["a", 1], [1, "a"], False),
        (["1"], [1], False),
        ([{"id": "a"}], [{"id": "a"}], False),
        (["a"], None, False),
        (MISSING, ["a"], False),
    ],
)
def test_arrays_of_the_same_texts_are_shuffled_and_no_others(one, other, equal):
    assert same_texts(one, other) is equal
