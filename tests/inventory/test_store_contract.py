"""What every store of the inventory promises, each tried where it really keeps things."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from support.given import entry, intent
from support.measuring import unmeasured

from reconciler.core.errors import InventoryError
from reconciler.core.model import Secret

ROOT = Path(__file__).parents[2]


def keep(place, target="shop", **entries):
    with place.store().open(target, lock=True) as session:
        for key, each in entries.items():
            session.record(key, each)


def known(place, target="shop"):
    with place.store().open(target, lock=False) as session:
        return session.inventory


def crash(place, act):
    """Have `act` done in a session, and leave what there is when it is killed right after."""
    with place.store().open("shop", lock=True) as session:
        act(session)
        left = place.snapshot()
    place.restore(left)


def record_of(place, key="web"):
    return place.snapshot().get(place.record(key))


def journal_of(place):
    return {name: it for name, it in place.snapshot().items() if ".journal" in name}


def test_what_is_recorded_is_there_for_the_next_run(place):
    stated = replace(
        entry("1", applied={"name": "Web"}, superseded=("0",)),
        prevent_destroy=True,
        quarantined_at="2026-11-22T10:00:00Z",
        secret="spooled",
    )

    keep(place, web=stated)

    assert known(place).entries == {"web": stated}


def test_a_store_that_holds_nothing_is_an_inventory_without_clients(place):
    inventory = known(place)

    assert (inventory.target, inventory.entries, inventory.serial) == ("shop", {}, place.serial(0))
    assert place.snapshot() == {}


def test_targets_do_not_share_a_record(place):
    keep(place, "a", web=entry("1"))
    keep(place, "b", web=entry("2"))

    assert known(place, "a").entries["web"].remote_id == "1"
    assert known(place, "b").entries["web"].remote_id == "2"


def test_an_intent_is_kept_before_intend_returns_and_until_it_is_closed(place):
    crash(place, lambda session: session.intend("web", intent(remote_id="7", name="Web")))

    assert known(place).pending == {"web": intent(remote_id="7", name="Web")}

    keep(place)

    assert known(place).pending == {"web": intent(remote_id="7", name="Web")}
    assert journal_of(place) == {}

    with place.store().open("shop", lock=True) as session:
        session.close_create("web")
        session.close_create("web")

    assert known(place).pending == {}


def test_a_closed_create_is_on_disk_before_close_create_returns(place):
    def act(session):
        session.intend("web", intent())
        session.close_create("web")

    crash(place, act)

    assert known(place).pending == {}


def test_a_record_ends_the_create_of_its_key(place):
    def act(session):
        session.intend("web", intent())
        session.intend("job", intent("job"))
        session.record("web", entry("1"))

    crash(place, act)

    assert list(known(place).entries) == ["web"]
    assert list(known(place).pending) == ["job"]


def test_a_create_that_found_what_is_known_already_is_over_all_the_same(place):
    keep(place, web=entry("1"))

    def act(session):
        session.intend("web", intent())
        session.record("web", entry("1"))

    crash(place, act)

    assert known(place).pending == {}


@pytest.mark.parametrize(
    "after",
    [
        entry("2", superseded=("1",)),
        replace(entry("1"), secret="spooled"),
        replace(entry("1"), quarantined_at="2026-11-23T10:00:00Z"),
    ],
)
def test_what_must_not_be_lost_is_kept_before_record_returns(place, after):
    keep(place, web=entry("1"))

    crash(place, lambda session: session.record("web", after))

    assert known(place).entries == {"web": after}


def test_what_was_applied_to_a_known_id_is_kept_with_the_next_write(place):
    keep(place, web=entry("1"))
    applied = entry("1", applied={"name": "Web"})

    crash(place, lambda session: session.record("web", applied))
    assert known(place).entries == {"web": entry("1")}

    def act(session):
        session.record("web", applied)
        session.record("job", entry("2"))

    crash(place, act)
    assert known(place).entries == {"web": applied, "job": entry("2")}


def test_a_deleted_predecessor_is_dropped_and_a_deleted_client_forgotten(place):
    keep(place, web=entry("2", superseded=("0", "1")), job=entry("3"))

    def act(session):
        session.drop("web", "1")
        session.drop("web", "9")
        session.drop("job", "3")
        session.drop("unknown", "1")

    crash(place, act)

    assert known(place).entries == {"web": entry("2", superseded=("0",))}


def test_a_forgotten_client_is_gone_when_the_run_ends(place):
    keep(place, web=entry("1"), job=entry("2"))

    with place.store().open("shop", lock=True) as session:
        session.forget("web")
        session.forget("unknown")

    assert list(known(place).entries) == ["job"]


def test_a_run_folds_its_journal_into_the_record_and_counts_that(place):
    with place.store().open("shop", lock=True) as session:
        session.record("web", entry("1"))
        assert record_of(place) is None
        assert len(journal_of(place)) == 1

        session.flush()
        assert journal_of(place) == {}
        assert session.inventory.serial == place.serial(1)

        session.record("job", entry("2"))

    assert journal_of(place) == {}
    assert known(place).serial == place.serial(2)
    assert sorted(known(place).entries) == ["job", "web"]


def test_a_run_that_changes_nothing_changes_no_byte(place):
    keep(place, web=entry("1"))
    before = place.snapshot()

    with place.store().open("shop", lock=True) as session:
        session.record("web", entry("1"))
        session.flush()

    assert place.snapshot() == before


def test_a_create_that_came_to_nothing_leaves_the_record_as_it_was(place):
    keep(place, web=entry("1"))
    before = place.snapshot()

    with place.store().open("shop", lock=True) as session:
        session.intend("job", intent("job"))
        session.close_create("job")

    assert place.snapshot() == before


def test_a_plan_reads_what_a_dead_run_left_and_changes_no_byte(place):
    keep(place, web=entry("1"))
    crash(place, lambda session: session.record("job", entry("2")))
    before = place.snapshot()

    inventory = known(place)

    assert sorted(inventory.entries) == ["job", "web"]
    assert place.snapshot() == before


def test_the_next_run_goes_on_where_a_dead_one_stopped(place):
    crash(place, lambda session: session.record("web", entry("1")))
    crash(place, lambda session: session.record("job", entry("2")))
    keep(place, api=entry("3"))

    assert sorted(known(place).entries) == ["api", "job", "web"]
    assert journal_of(place) == {}
    assert known(place).serial == place.serial(1)


def test_a_run_that_dies_between_the_record_and_the_journals_end_costs_nothing(place):
    keep(place, web=entry("2", superseded=("1",)), old=entry("9"))

    def act(session):
        session.intend("job", intent("job"))
        session.drop("web", "1")
        session.record("job", entry("3"))
        session.drop("old", "9")

    with place.store().open("shop", lock=True) as session:
        act(session)
        journal = journal_of(place)
    place.restore(place.snapshot() | journal)

    assert known(place).entries == {"web": entry("2"), "job": entry("3")}
    assert known(place).serial == place.serial(2)

    crash(place, lambda session: session.record("api", entry("4")))
    assert sorted(known(place).entries) == ["api", "job", "web"]

    keep(place)
    assert sorted(known(place).entries) == ["api", "job", "web"]
    assert journal_of(place) == {}


def test_a_journal_that_the_record_has_moved_away_from_is_refused_with_the_clients_in_it(place):
    crash(place, lambda session: session.record("web", entry("1")))
    journal = journal_of(place)
    place.restore({})
    keep(place, web=entry("2"))
    place.restore(place.snapshot() | journal)

    with pytest.raises(InventoryError) as caught:
        known(place)

    message = str(caught.value)
    assert "do not belong together" in message
    assert "web" in message
    assert "move the journal away" in message


def test_a_journal_that_is_ahead_of_its_record_is_refused(place):
    keep(place, **{f"c{number}": entry(str(number)) for number in range(12)})
    moved = {f"c{n}": entry(f"new-{n}", superseded=(str(n),)) for n in range(12)}
    crash(place, lambda session: [session.record(*each) for each in moved.items()])
    journal = journal_of(place)
    place.restore(journal)

    with pytest.raises(InventoryError, match="do not belong together") as caught:
        known(place)

    assert "c0, c1, c10, c11, c2, c3, c4, c5, c6, c7 and 2 more" in str(caught.value)


def test_a_record_that_somebody_else_wrote_meanwhile_is_never_overwritten(place):
    keep(place, web=entry("1"))
    older = place.snapshot()
    keep(place, web=entry("2"))
    newer = place.snapshot()
    place.restore(older)

    def run():
        with place.store().open("shop", lock=True) as session:
            session.record("web", entry("3"))
            place.restore(journal_of(place) | newer)

    with pytest.raises(InventoryError, match="was changed by somebody else while this run worked"):
        run()

    assert record_of(place) == newer[place.record("web")]
    assert journal_of(place)


def test_a_damaged_record_is_not_opened_and_its_lock_is_free_again(place):
    keep(place, web=entry("1"))
    place.restore({place.record("web"): b"{"})

    for _ in range(2):
        with pytest.raises(InventoryError, match="not whole JSON"):
            keep(place)


def test_without_the_lock_nothing_can_be_changed(place):
    with place.store().open("shop", lock=False) as session:
        for change in (
            lambda: session.record("web", entry("1")),
            lambda: session.intend("web", intent()),
        ):
            with pytest.raises(InventoryError, match="open for reading only"):
                change()
        session.check_lock()

    assert place.snapshot() == {}


def test_a_second_run_is_told_who_holds_the_lock_and_since_when(place):
    with place.store().open("shop", lock=True):
        with pytest.raises(InventoryError, match=r"process \d+ on .* since 20\d\d-.*lock-timeout"):
            keep(place)
        with place.store().open("other", lock=True):
            pass


def test_a_lock_is_free_when_its_run_ended_even_by_an_error(place):
    def run():
        with place.store().open("shop", lock=True):
            raise KeyError

    with pytest.raises(KeyError):
        run()

    keep(place, web=entry("1"))


def test_a_run_that_waits_goes_on_when_the_lock_is_free(place):
    with ThreadPoolExecutor(1) as pool:
        with place.store().open("shop", lock=True) as session:
            waiting = pool.submit(wait_for_lock, place)
            session.record("web", entry("1"))
        waiting.result()

    assert sorted(known(place).entries) == ["second", "web"]


def wait_for_lock(place):
    with place.store().open("shop", lock=True, timeout=1e9) as session:
        session.record("second", entry("2"))


def test_reading_needs_no_lock(place):
    keep(place, web=entry("1"))

    with place.store().open("shop", lock=True):
        assert list(known(place).entries) == ["web"]


def test_many_creates_at_once_are_all_recorded(place):
    numbers = range(40)

    def create(session, number):
        session.intend(f"c{number}", intent(f"c{number}"))
        session.record(f"c{number}", entry(str(number)))

    def act(session):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: create(session, number), numbers))

    crash(place, act)

    assert {each.remote_id for each in known(place).entries.values()} == set(map(str, numbers))
    assert known(place).pending == {}


def test_reading_while_others_write_always_shows_all_that_was_acknowledged(place):
    acknowledged = []
    over = threading.Event()

    def write():
        for number in range(12):
            keep(place, **{f"c{number}": entry(str(number))})
            acknowledged.append(f"c{number}")
        over.set()

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write)
        while not over.is_set() and not written.done():
            before = set(acknowledged)
            assert before <= known(place).entries.keys()
        written.result()


def process(place, body, env=None):
    script = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from support.given import entry, intent
from reconciler.core.errors import InventoryError
store = {place.opening()}
{body}
"""
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_a_killed_process_did_is_there_when_its_lock_is_free(place):
    holder = process(
        place,
        """
with store.open("shop", lock=True) as session:
    session.record("web", entry("1"))
    print("held", flush=True)
    sys.stdin.read()
""",
        env=unmeasured(),
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(InventoryError, match=f"process {holder.pid} on .* since "):
        keep(place)

    holder.kill()
    holder.communicate()
    place.outlive()
    keep(place, job=entry("2"))

    assert sorted(known(place).entries) == ["job", "web"]
    assert journal_of(place) == {}


def test_two_processes_that_race_lose_nothing_of_each_other(place):
    body = """
for number in range(5):
    with store.open("shop", lock=True, timeout=120) as session:
        session.record(f"{who}{number}", entry(f"{who}{number}"))
"""
    racers = [process(place, f"who = {who!r}\n{body}") for who in "ab"]
    for racer in racers:
        racer.communicate()

    assert [racer.returncode for racer in racers] == [0, 0]
    ids = {each.remote_id for each in known(place).entries.values()}
    assert ids == {f"{who}{number}" for who in "ab" for number in range(5)}
    assert known(place).serial == place.serial(10)


def test_of_two_processes_that_do_not_wait_one_gets_the_lock(place):
    body = """
sys.stdin.readline()
try:
    with store.open("shop", lock=True) as session:
        print("got it", flush=True)
        sys.stdin.readline()
except InventoryError:
    print("refused", flush=True)
"""
    racers = [process(place, body) for _ in range(2)]
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = sorted(racer.stdout.readline().strip() for racer in racers)
    for racer in racers:
        racer.communicate("end\n")

    assert told == ["got it", "refused"]


def test_a_secret_that_its_sink_would_not_take_stays_on_this_machine(place):
    with place.store().open("shop", lock=True) as session:
        path = Path(session.spool("web", "id/1", Secret("hunter2")))
        (waiting,) = session.spooled_secrets()

        assert path.stat().st_mode & 0o777 == 0o600
        assert (waiting.key, waiting.remote_id, waiting.secret.value) == ("web", "id/1", "hunter2")

        session.unspool(waiting)
        assert session.spooled_secrets() == ()

    assert not any(b"hunter2" in content for content in place.snapshot().values())
