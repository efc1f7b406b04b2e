"""Sinks that packages of others bring, and what becomes of their mistakes."""

import sys

import pytest
from support.sink_places import make

from reconciler.core.errors import SinkError
from reconciler.core.model import Secret
from reconciler.sinks import registry

SECRET = Secret("s3cr3t-of-the-web-client")
MODULE = """
from reconciler.core.errors import SinkError

class Mine:
    place = "a safe of mine"
    stored = []
    made = 0

    def __init__(self, setting):
        self.setting = setting
        Mine.made += 1

    def probe(self):
        if self.setting.options.get("probe") == "fails":
            raise SinkError("the safe is shut")

    def store(self, target, key, client_id, secret):
        match self.setting.options.get("store"):
            case "quotes":
                raise SinkError(f"no room for {secret.value}")
            case "crashes":
                raise RuntimeError(f"in the middle of {secret.value}")
        self.stored.append((target, key, client_id, secret.value, dict(self.setting.options)))
        return f"the safe, behind {secret.value}"
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install packages with entry points, for this process only."""

    def install(name, entry_points, module="mine_of_theirs"):
        (tmp_path / f"{module}.py").write_text(MODULE)
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[reconciler.sinks]\n{entry_points}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)

    monkeypatch.syspath_prepend(str(tmp_path))
    return install


def test_a_sink_of_a_package_is_found_by_its_entry_point_and_gets_its_options(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:Mine")
    options = {"shelf": {"number": 3}, "names": ["a"]}
    made = make("my-safe", tmp_path, **options)

    made.probe()
    made.store("shop", "web", "1", SECRET)

    assert made.place == "a safe of mine"
    assert sys.modules["mine_of_theirs"].Mine.stored == [
        ("shop", "web", "1", SECRET.value, options)
    ]


def test_nothing_is_loaded_before_a_sink_is_needed(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:Mine")

    make("my-safe", tmp_path)

    assert "mine_of_theirs" not in sys.modules


def test_a_sink_is_made_once(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:Mine")
    made = make("my-safe", tmp_path)

    made.probe()
    made.probe()

    assert sys.modules["mine_of_theirs"].Mine.made == 1


def test_what_a_sink_says_is_shown_without_the_secret(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:Mine")

    assert make("my-safe", tmp_path).store("shop", "web", "1", SECRET) == (
        "the safe, behind (secret)"
    )
    with pytest.raises(SinkError, match=r"^no room for \(secret\)$"):
        make("my-safe", tmp_path, store="quotes").store("shop", "web", "1", SECRET)
    with pytest.raises(SinkError, match=r"^the safe is shut$"):
        make("my-safe", tmp_path, probe="fails").probe()


@pytest.mark.parametrize("secret", ["a-secret-of-the-shop", "web"])
def test_where_a_sink_of_ours_stored_a_secret_is_said_whatever_that_is(tmp_path, secret):
    where = make("file", tmp_path).store("shop", "web", "1", Secret(secret))

    assert where.endswith("secrets/shop/web.json")


def test_of_an_exception_that_is_no_sinks_only_the_type_is_told(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:Mine")

    with pytest.raises(
        SinkError, match=r"^the sink my-safe failed with an unexpected RuntimeError$"
    ):
        make("my-safe", tmp_path, store="crashes").store("shop", "web", "1", SECRET)


def test_a_package_that_cannot_be_loaded_is_a_sink_error(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:NotThere")

    with pytest.raises(SinkError, match="unexpected AttributeError"):
        make("my-safe", tmp_path).probe()


def test_an_unknown_sink_is_told_with_those_that_there_are(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:Mine")

    with pytest.raises(SinkError, match=r"there is no sink your-safe here, only age, .*my-safe"):
        make("your-safe", tmp_path).probe()


def test_two_packages_with_a_sink_of_one_name_are_told(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:Mine")
    package("yours", "my-safe = yours_of_theirs:Mine", module="yours_of_theirs")

    with pytest.raises(SinkError, match="several packages bring a sink my-safe: mine, yours"):
        make("my-safe", tmp_path).probe()


def test_no_package_takes_the_place_of_a_sink_of_ours(package, tmp_path):
    package("mine", "file = mine_of_theirs:Mine")

    make("file", tmp_path).store("shop", "web", "1", SECRET)

    assert "mine_of_theirs" not in sys.modules
    assert registry.sink_names().count("file") == 1


def test_a_sink_that_cannot_tell_whose_secret_it_has_says_so(package, tmp_path):
    package("mine", "my-safe = mine_of_theirs:Mine")

    assert make("my-safe", tmp_path).holder("shop", "web") is None


def test_a_sink_is_asked_whose_secret_it_has(tmp_path):
    sink = make("file", tmp_path)
    sink.store("shop", "web", "1", SECRET)

    assert sink.holder("shop", "web") == "1"
