"""The dataclasses that are made at a quarter of the cost are as the standard library's are."""

import copy
import dataclasses
import pickle

import pytest

from reconciler.core import dataclass as cheap


@cheap.dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A value."""

    name: str
    size: int = 1
    tags: dict[str, str] = cheap.field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.name.title()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """A value."""

    name: str
    size: int = 1
    tags: dict[str, str] = dataclasses.field(default_factory=dict)


@cheap.dataclass(frozen=True, slots=True)
class Pair:
    """Its members are given by place."""

    one: int
    other: int = 2


@cheap.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Itself:
    """Equal to itself alone."""

    name: str


@cheap.dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Without a member."""


def test_a_class_may_have_no_member():
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()).endswith("Nothing()")
    assert Nothing() != Pair(1)
    with pytest.raises(TypeError):
        Nothing(1)


def test_a_value_has_what_was_given_and_else_the_defaults():
    value = Ours(name="a", size=3)

    assert (value.name, value.size, value.tags, value.title) == ("a", 3, {}, "A")


def test_a_default_that_is_made_is_made_anew_for_each_value():
    one, other = Ours(name="a"), Ours(name="a")

    assert one.tags is not other.tags
    assert Ours(name="a", tags={"b": "c"}).tags == {"b": "c"}


def test_the_many_values_of_a_fleet_are_made_as_the_few_of_a_small_project_are():
    few, *_, many = [Ours(name="a", size=2) for _ in range(100)]

    assert few == many
    assert few.tags is not many.tags
    assert Ours(name="b", tags={"c": "d"}).tags == {"c": "d"}
    assert [Pair(number).one for number in range(100)] == list(range(100))


def test_members_by_place_are_taken_where_the_class_says_so():
    assert Pair(1) == Pair(one=1, other=2)
    match Pair(3, 4):
        case Pair(one, other):
            assert (one, other) == (3, 4)


@pytest.mark.parametrize(
    ("arguments", "members"),
    [((), {}), ((), {"size": 1}), (("a",), {}), ((), {"name": "a", "more": 1})],
)
def test_a_wrong_call_is_told_as_the_standard_library_tells_it(arguments, members):
    with pytest.raises(TypeError) as theirs:
        Theirs(*arguments, **members)

    for _ in ("the first call", "another"):
        with pytest.raises(TypeError) as ours:
            Ours(*arguments, **members)
        assert str(ours.value) == str(theirs.value).replace("Theirs", "Ours")


def test_it_prints_as_the_standard_librarys_does():
    assert repr(Ours(name="a")) == repr(Theirs(name="a")).replace("Theirs", "Ours")


def test_equal_members_make_equal_values_of_one_class():
    assert Pair(1) == Pair(1)
    assert hash(Pair(1)) == hash(Pair(1))
    assert Pair(1) != Pair(2)
    assert Ours(name="a") != Theirs(name="a")
    assert len({Pair(1), Pair(1), Pair(2)}) == 2


def test_without_eq_a_value_is_equal_to_itself_alone():
    value = Itself(name="a")

    assert value == value  # noqa: PLR0124
    assert value != Itself(name="a")
    assert len({value, Itself(name="a")}) == 2


def test_nothing_can_be_set_or_deleted_or_added():
    value = Ours(name="a")

    for name in ("name", "more"):
        with pytest.raises(
            dataclasses.FrozenInstanceError, match=f"cannot assign to field '{name}'"
        ):
            setattr(value, name, "b")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'name'"):
        del value.name
    assert not hasattr(value, "__dict__")


def test_a_copy_is_equal():
    value = Ours(name="a", tags={"b": "c"})

    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value


def test_the_functions_of_the_standard_library_take_it_for_one_of_theirs():
    value = Ours(name="a")

    assert dataclasses.is_dataclass(value)
    assert dataclasses.replace(value, size=2) == Ours(name="a", size=2)
    assert dataclasses.asdict(value) == {"name": "a", "size": 1, "tags": {}}
    ours, theirs = dataclasses.fields(Ours), dataclasses.fields(Theirs)
    assert [(f.name, f.default, f.default_factory) for f in ours] == [
        (f.name, f.default, f.default_factory) for f in theirs
    ]


def test_replace_knows_the_members():
    with pytest.raises(TypeError, match="unexpected keyword argument 'more'"):
        dataclasses.replace(Pair(1), more=2)


def test_the_class_keeps_its_names_and_words():
    assert (Ours.__name__, Ours.__qualname__, Ours.__module__) == ("Ours", "Ours", __name__)
    assert Ours.__doc__ == "A value."
    assert Ours.__match_args__ == ()


def test_a_class_of_another_kind_is_the_standard_librarys_to_make():
    with pytest.raises(TypeError, match="only frozen dataclasses with slots"):
        cheap.dataclass(frozen=False, slots=True)
