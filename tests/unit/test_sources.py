"""A plan says where each secret comes from."""

import pytest
from support.given import context, field, live, manifest, provider, replace

from reconciler.core.model import Secret
from reconciler.plan.planner import plan_target
from reconciler.render.change_lines import field_lines, sources_of

VENDOR = provider(field("name"), field("secret", secret=True), field("keys"))


@pytest.mark.parametrize(
    ("references", "told"),
    [
        ({"/secret": "env SHOP_KEY"}, ("env SHOP_KEY",)),
        ({"/secret/0": "env A", "/secret/1": "file b", "/secret/2": "env A"}, ("env A", "file b")),
        ({"/secretly": "env A", "/keys": "env B"}, ()),
        ({}, ()),
    ],
)
def test_the_line_of_a_field_says_where_its_secret_comes_from(references, told):
    wanted = manifest(spec={"name": "web", "secret": Secret("hunter2")})
    wanted = replace(wanted, references=references)

    (change,) = plan_target(context(VENDOR, live=live()), [wanted]).changes

    assert sources_of(change, "secret") == told
    (line,) = [one for one in field_lines(change) if one.text.startswith("secret")]
    assert line.note == (f"from {', '.join(told)}" if told else "")
    assert "hunter2" not in f"{line}"


def test_a_client_without_a_manifest_has_no_sources():
    (change,) = plan_target(context(VENDOR, live=live()), [manifest(spec={"name": "web"})]).changes

    assert sources_of(replace(change, manifest=None), "secret") == ()
