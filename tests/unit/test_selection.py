import pytest
from support.given import manifest

from reconciler.core.errors import SelectionError
from reconciler.plan.selection import Selection, select_clients, select_targets

WEB = manifest("web", labels={"team": "shop", "tier": "gold"})
API = manifest("api-orders", labels={"team": "orders"})


def picked(*selectors):
    return [each.name for each in select_clients(Selection(selectors=selectors), [WEB, API])]


def test_nothing_named_means_all():
    assert picked() == ["web", "api-orders"]
    assert select_targets(Selection(), ["b", "a"]) == ("a", "b")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("web", ["web"]),
        ("api-*", ["api-orders"]),
        ("team=orders", ["api-orders"]),
        ("tier=g*", ["web"]),
        ("team=*", ["web", "api-orders"]),
    ],
)
def test_a_client_is_selected_by_its_name_or_by_a_label(selector, expected):
    assert picked(selector) == expected


def test_one_selector_that_fits_is_enough():
    assert picked("web", "team=orders") == ["web", "api-orders"]


@pytest.mark.parametrize("selector", ["shop", "WEB", "tier=", "colour=red"])
def test_a_selector_that_fits_nothing_is_an_error(selector):
    with pytest.raises(SelectionError, match="no client"):
        picked("web", selector)


def test_a_target_is_selected_once_however_often_it_is_named():
    assert select_targets(Selection(targets=("b", "a", "b")), ["a", "b", "c"]) == ("a", "b")


def test_an_unknown_target_is_an_error_that_names_the_known_ones():
    with pytest.raises(SelectionError, match=r"--target x: .* only a, b"):
        select_targets(Selection(targets=("x", "a")), ["a", "b"])


def test_a_client_without_the_label_fits_no_value_of_it():
    labelled, plain = manifest("web", labels={"tier": "gold"}), manifest("api")

    assert select_clients(Selection(selectors=("tier=*",)), [labelled, plain]) == (labelled,)
