"""An object that its schema has accepted as a value."""

from enum import Enum

import pytest

from reconciler.core.dataclass import dataclass
from reconciler.core.decode import decoder


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    spoke_count: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Bicycle:
    serial: str
    frame_size_cm: float | None = None
    colour: Colour = Colour.RED
    is_set: bool = False
    wheels: tuple[Wheel, ...] = ()


def wheels(stated):
    return tuple(map(decoder(Wheel), stated))


def test_a_member_goes_into_the_field_that_has_its_name():
    assert decoder(Bicycle)({"serial": "a", "frameSizeCm": 56.0}) == Bicycle(
        serial="a", frame_size_cm=56.0
    )


def test_a_field_without_a_member_has_its_default_and_a_null_is_a_value():
    assert decoder(Wheel)({}) == Wheel()
    assert decoder(Bicycle)({"serial": "a", "frameSizeCm": None}).frame_size_cm is None


def test_a_member_without_a_field_is_left_out():
    assert decoder(Wheel)({"spokeCount": 28, "spoke_count": 1, "docs": "https://a"}) == Wheel(
        spoke_count=28
    )


def test_a_member_may_have_another_name():
    decode = decoder(Bicycle, names={"is_set": "set"})

    assert decode({"serial": "a", "set": True, "isSet": False}).is_set


def test_a_member_may_be_made_into_something():
    decode = decoder(Bicycle, names={"colour": "paint"}, colour=Colour, wheels=wheels)

    found = decode({"serial": "a", "paint": "red", "wheels": [{"spokeCount": 28}, {}]})

    assert found == Bicycle(serial="a", colour=Colour.RED, wheels=(Wheel(spoke_count=28), Wheel()))


def test_what_is_not_stated_is_not_made_into_anything():
    assert decoder(Bicycle, colour=Colour)({"serial": "a"}).colour is Colour.RED


def test_a_field_that_has_to_be_there_is_missed():
    with pytest.raises(TypeError, match="serial"):
        decoder(Bicycle)({})


@pytest.mark.parametrize("more", [{"names": {"color": "paint"}}, {"color": Colour}])
def test_a_slip_in_the_name_of_a_field_is_told_when_the_decoder_is_made(more):
    with pytest.raises(TypeError, match="Bicycle has no field color"):
        decoder(Bicycle, **more)
