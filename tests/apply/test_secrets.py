from dataclasses import replace
from pathlib import Path

import pytest
from support.given import client, context, entry, field, live, provider

from reconciler.apply import secrets as delivery
from reconciler.core.changes import Action, Change, Status, TargetPlan
from reconciler.core.errors import InventoryError, SinkError
from reconciler.core.model import Intent, Secret
from reconciler.inventory.file import FileStore
from reconciler.sinks.file import FileSink

OLD, NEW = Secret("the-old-secret"), Secret("the-new-secret")


def intent(remote_id=None, predecessor=None):
    return Intent(
        key="web",
        remote_id=remote_id,
        predecessor=predecessor,
        facts={},
        digest="",
        at="2026-01-01T00:00:00Z",
    )


class Stubborn:
    """A record whose private files cannot be deleted."""

    def __init__(self, session):
        self._session = session
        self.inventory = session.inventory

    def __getattr__(self, name):
        return getattr(self._session, name)

    def unspool(self, spooled):
        raise InventoryError(f"{spooled.path} cannot be deleted")


class Broken:
    """A sink that is full."""

    def store(self, *_about):
        raise SinkError("the sink is full")


@pytest.fixture
def session(tmp_path):
    with FileStore(tmp_path / "inventory").open("shop", lock=True) as opened:
        yield opened


@pytest.fixture
def sink(tmp_path):
    return FileSink(tmp_path / "secrets")


def stored(tmp_path):
    path = tmp_path / "secrets" / "shop" / "web.json"
    return path.read_text() if path.exists() else ""


def test_the_secret_of_a_client_of_ours_is_delivered_recorded_and_deleted(session, sink, tmp_path):
    session.record("web", entry("1", secret="spooled"))
    path = session.spool("web", "1", NEW)

    (done,) = delivery.deliver_spooled("shop", session, sink)

    assert (done.key, done.remote_id, done.path) == ("web", "1", path)
    assert (done.status, done.message) == (Status.DONE, "")
    assert done.location == str(tmp_path / "secrets/shop/web.json")
    assert "the-new-secret" in stored(tmp_path)
    assert session.entry("web").secret == "stored"
    assert session.spooled_secrets() == ()


def test_without_secrets_that_wait_nothing_is_done(session):
    assert delivery.deliver_spooled("shop", session, Broken()) == ()


def test_a_sink_that_refuses_again_leaves_the_secret_where_it_is(session):
    session.record("web", entry("1", secret="spooled"))
    path = session.spool("web", "1", NEW)

    (failed,) = delivery.deliver_spooled("shop", session, Broken())

    assert (failed.status, failed.message) == (Status.FAILED, "the sink is full")
    assert Path(path).exists()
    assert session.entry("web").secret == "spooled"


@pytest.mark.parametrize("known", [True, False])
def test_a_secret_of_a_client_that_is_not_its_keys_any_more_is_left_alone(
    session, sink, tmp_path, known
):
    if known:
        session.record("web", entry("2", secret="stored"))
    path = session.spool("web", "1", OLD)

    (left,) = delivery.deliver_spooled("shop", session, sink)

    assert left.status is Status.SKIPPED
    assert "1 is not the client of web any more" in left.message
    assert Path(path).exists()
    assert stored(tmp_path) == ""


@pytest.mark.parametrize("chosen", ["2", None])
def test_the_secret_of_a_create_that_was_not_recorded_is_delivered_and_then_recorded(
    session, sink, tmp_path, chosen
):
    session.intend("web", intent(chosen))
    session.spool("web", "2", NEW)

    deliveries = delivery.deliver_spooled("shop", session, sink)
    session.record("web", entry("2", secret="lost"))
    delivery.record_delivered(session, deliveries)

    assert "the-new-secret" in stored(tmp_path)
    assert session.entry("web").secret == "stored"


def test_the_secret_of_a_successor_has_the_last_word(session, sink, tmp_path):
    session.record("web", entry("9", secret="spooled"))
    session.spool("web", "9", OLD)
    session.intend("web", intent(predecessor="9"))
    session.spool("web", "2", NEW)

    deliveries = delivery.deliver_spooled("shop", session, sink)

    assert [each.remote_id for each in deliveries] == ["9", "2"]
    assert "the-new-secret" in stored(tmp_path)


def test_a_pending_create_with_another_chosen_id_has_nothing_to_do_with_a_secret(session, sink):
    session.intend("web", intent("3"))
    session.spool("web", "2", OLD)

    assert [each.status for each in delivery.deliver_spooled("shop", session, sink)] == [
        Status.SKIPPED
    ]


def test_what_is_not_delivered_is_not_recorded_as_stored(session):
    session.record("web", entry("1", secret="spooled"))
    session.spool("web", "1", NEW)

    delivery.record_delivered(session, delivery.deliver_spooled("shop", session, Broken()))

    assert session.entry("web").secret == "spooled"


def test_a_file_that_cannot_be_deleted_is_told_and_the_secret_is_delivered_all_the_same(
    session, sink, tmp_path
):
    session.record("web", entry("1", secret="spooled"))
    session.spool("web", "1", NEW)
    stubborn = Stubborn(session)

    (done,) = delivery.deliver_spooled("shop", stubborn, sink)

    assert done.status is Status.DONE
    assert "cannot be deleted" in done.message
    assert "the-new-secret" in stored(tmp_path)
    assert session.entry("web").secret == "stored"
    kept = delivery.keep_secret("shop", stubborn, sink, key="web", remote_id="1", secret=NEW)
    assert (kept.place, "cannot be deleted" in kept.trouble) == ("stored", True)


def test_a_secret_that_nothing_takes_is_lost_and_says_why(session, tmp_path):
    (tmp_path / "inventory").mkdir(exist_ok=True)
    (tmp_path / "inventory" / ".spool").write_text("in the way")

    kept = delivery.keep_secret("shop", session, Broken(), key="web", remote_id="1", secret=NEW)

    assert (kept.place, kept.location) == ("lost", "")
    assert kept.trouble.startswith("the sink is full; nor can it be kept elsewhere: ")


def test_a_kept_secret_overtakes_an_older_one_of_its_client_and_no_other(session, sink):
    session.spool("web", "1", OLD)
    session.spool("web", "2", OLD)

    delivery.keep_secret("shop", session, sink, key="web", remote_id="1", secret=NEW)

    assert [each.remote_id for each in session.spooled_secrets()] == ["2"]


def test_while_a_sink_refuses_only_what_brings_no_secret_goes_on():
    create = Change(target="shop", key="a", action=Action.CREATE, reason="")
    update = Change(target="shop", key="b", action=Action.UPDATE, reason="")
    plan = TargetPlan(
        target="shop", provider="p", base_url="https://a.example.com", changes=(create, update)
    )

    held = delivery.refuse_new_secrets(plan, lambda change: change.action is Action.CREATE)

    assert [each.refusal and each.refusal.rule for each in held.changes] == ["sink-failed", None]
    assert held.changes[1] == update
    assert replace(held.changes[0], refusal=None) == create


VENDOR = provider(field("name"), field("secret", secret=True, read_only=True))


def test_what_a_newer_secret_overtook_is_deleted_and_not_delivered(session, sink, tmp_path):
    delivery.keep_secret("shop", session, sink, key="web", remote_id="1", secret=NEW)
    session.record("web", entry("1", secret="stored"))
    path = session.spool("web", "1", OLD)

    (done,) = delivery.deliver_spooled("shop", session, sink)

    assert (done.status, "newer" in done.message) == (Status.SKIPPED, True)
    assert not Path(path).exists()
    assert "the-new-secret" in stored(tmp_path)


def test_a_file_that_was_overtaken_and_cannot_be_deleted_is_told(session, sink):
    session.record("web", entry("1", secret="stored"))
    session.spool("web", "1", OLD)
    stubborn = Stubborn(session)

    (done,) = delivery.deliver_spooled("shop", stubborn, sink)

    assert (done.status, "cannot be deleted" in done.message) == (Status.SKIPPED, True)


def test_what_the_server_shows_is_delivered_before_what_waits(session, sink, tmp_path):
    session.record("web", entry("1", secret="spooled"))
    session.spool("web", "1", OLD)
    seen = context(VENDOR, live=live(client("1", name="Web", secret=NEW)))

    (done,) = delivery.deliver_spooled("shop", session, sink, seen)

    assert done.status is Status.DONE
    assert "the-new-secret" in stored(tmp_path)


def test_the_secret_of_a_client_that_is_gone_is_no_pending_creates(session, sink, tmp_path):
    session.record("web", entry("9", secret="stored"))
    session.intend("web", intent(predecessor="9"))
    session.spool("web", "1", OLD)
    seen = context(VENDOR, live=live(client("9", name="Web"), gone=frozenset({"1"})))

    (left,) = delivery.deliver_spooled("shop", session, sink, seen)

    assert left.status is Status.SKIPPED
    assert stored(tmp_path) == ""


def test_a_secret_of_a_rotation_that_broke_off_stays_out_of_the_sink(session, sink, tmp_path):
    """The server may have it, or the one that the sink has: nobody knows where no answer shows one."""
    session.record("web", entry("1", secret="lost"))
    sink.store("shop", "web", "1", OLD)
    path = session.spool("web", "1", NEW, unsettled=True)

    (left,) = delivery.deliver_spooled("shop", session, sink)

    assert left.status is Status.SKIPPED
    assert path in left.message
    assert "`reconciler rotate web`" in left.message
    assert "the-old-secret" in stored(tmp_path)
    assert delivery.waiting_secrets(session) == {}


@pytest.mark.parametrize("shown", [OLD, NEW])
def test_where_the_server_shows_which_secret_holds_that_one_is_delivered(
    session, sink, tmp_path, shown
):
    of = provider(field("secret", secret=True, read_only=True))
    session.record("web", entry("1", secret="lost"))
    session.spool("web", "1", NEW, unsettled=True)
    seen = context(of, inventory=session.inventory, live=live(client("1", secret=shown)))

    (done,) = delivery.deliver_spooled("shop", session, sink, seen)

    assert done.status is Status.DONE
    assert shown.value in stored(tmp_path)
    assert session.spooled_secrets() == ()
