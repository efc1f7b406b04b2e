import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.manifests import load, parallel_read
from reconciler.manifests.files import are_large

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux"),
    # What is forked here does nothing that another thread could have left half done.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

ITEMS = [str(number) for number in range(300)]


def shout(item):
    return [f"{item}!", None, {"of": [int(item), 1.5, True]}]


def open_files():
    return sorted(file.name for file in Path("/proc/self/fd").iterdir())


SHOUTED = [shout(item) for item in ITEMS]


@pytest.mark.parametrize("items", [[], ["0"], ITEMS[:127], ITEMS[:129], ITEMS])
def test_both_processes_together_give_what_one_would(items):
    with parallel_read.map_in_parallel(shout, items) as results:
        found = results()

    assert found == [shout(item) for item in items]


def test_the_copy_does_what_it_gets_to():
    """It may get to all of it: whoever is first takes the next part."""
    mine = []

    def begins_with_the_copy(item):
        if not mine:
            os.read(begun, 1) if os.getpid() == parent else os.write(begin, b".")
        mine.append(item)
        return shout(item)

    parent, (begun, begin) = os.getpid(), os.pipe()
    with parallel_read.map_in_parallel(begins_with_the_copy, ITEMS) as results:
        found = results()
    os.close(begun)
    os.close(begin)

    assert found == SHOUTED
    assert len(mine) < len(ITEMS)


@pytest.mark.parametrize("last", ["0", "150", "299"])
def test_a_copy_that_is_killed_costs_time_only(last):
    def dies_in_the_copy(item):
        if os.getpid() != parent and int(item) >= int(last):
            os.kill(os.getpid(), signal.SIGKILL)
        return shout(item)

    parent = os.getpid()
    with parallel_read.map_in_parallel(dies_in_the_copy, ITEMS) as results:
        assert results() == SHOUTED


def test_a_copy_that_fails_ends_there_and_says_nothing(capfd):
    def fails_in_the_copy(item):
        if os.getpid() != parent:
            raise KeyboardInterrupt
        return shout(item)

    parent = os.getpid()
    with parallel_read.map_in_parallel(fails_in_the_copy, ITEMS) as results:
        assert results() == SHOUTED

    assert capfd.readouterr() == ("", "")


def test_half_an_answer_is_none():
    with parallel_read.ForkedWorker(shout, [["1", "2"], ["3"]]) as copy:
        copy.wait()
        whole = copy.results_of_copy()
        size = os.fstat(copy.memory).st_size
        os.ftruncate(copy.memory, size - 1)
        cut = copy.results_of_copy()
        os.ftruncate(copy.memory, 5)

        assert whole == {0: [shout("1"), shout("2")], 1: [shout("3")]}
        assert cut == {0: whole[0]}
        assert copy.results_of_copy() == {}


def test_what_a_copy_left_is_not_done_again(monkeypatch):
    ended = []

    def stand_in():
        ended.append(subprocess.Popen(["true"]))
        return ended[0].pid

    monkeypatch.setattr(os, "fork", stand_in)
    with parallel_read.ForkedWorker(shout, [["1"], ["2"]]) as copy:
        copy.run_in_copy()

        assert copy.collect_results() == {0: [shout("1")], 1: [shout("2")]}

    assert ended[0].wait() == 0


def test_without_a_copy_everything_is_done_here(monkeypatch):
    def refused():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refused)
    before = open_files()
    with parallel_read.map_in_parallel(shout, ITEMS) as results:
        found = results()

    assert found == SHOUTED
    assert open_files() == before


def test_a_copy_does_not_outlive_its_use():
    def lasts_in_the_copy(item):
        while os.getpid() != parent:
            signal.pause()
        return item

    parent, before = os.getpid(), open_files()
    with pytest.raises(ZeroDivisionError), parallel_read.map_in_parallel(lasts_in_the_copy, ITEMS):
        raise ZeroDivisionError

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert open_files() == before


def test_a_copy_is_made_of_a_process_without_threads_that_has_a_second_cpu():
    script = """
import os, threading
from reconciler.manifests import parallel_read
os.sched_getaffinity = lambda _: {0, 1}
print(parallel_read.is_possible())
os.sched_getaffinity = lambda _: {0}
print(parallel_read.is_possible())
os.sched_getaffinity = lambda _: {0, 1}
done = threading.Event()
threading.Thread(target=done.wait).start()
print(parallel_read.is_possible())
done.set()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert ended.stdout.split() == ["True", "False", "False"]


LOAD = """
import os
from reconciler.manifests import load
from reconciler.manifests import parallel_read
os.sched_getaffinity = lambda _: set(range({cpus}))
print(parallel_read.is_possible())
loaded = load("reconciler.yaml")
print(loaded.file_count, loaded.manifests, *loaded.problems, sep="\\n")
"""


def test_a_large_project_is_the_same_with_and_without_a_copy(write, shop):
    padding = f"# {'x' * 2_000}\n"
    for number in range(40):
        write(f"clients/shop/{number:02}.yaml", padding + shop(f"web-{number}"))
    write("clients/shop/05.yaml", "kind: [")
    write("clients/shop/11.yaml", shop("web-12") + "---\n" + shop("more").replace("name: Web", ""))
    write("clients/shop/17.yaml", padding + "x: &a [1]\n---\n[*a]\n")
    write("clients/shop/23.yaml", b"\xff")
    write("clients/shop/29.yaml", "")

    one, two = (
        subprocess.run(
            [sys.executable, "-c", LOAD.format(cpus=cpus)], check=True, capture_output=True
        ).stdout.split(b"\n", 1)
        for cpus in (1, 2)
    )

    assert (one[0], two[0]) == (b"False", b"True")
    assert one[1] == two[1]
    assert len(load("reconciler.yaml").problems) > 5


def test_a_few_files_speak_for_the_others(write):
    names = [str(write(f"{number}", "x" * 1_000)) for number in range(70)]

    assert are_large(names)
    assert not are_large(names[:60])
    assert are_large([*names, "not there", "\0"])
    assert not are_large(["not there"] * 70)
    assert not are_large([])
