"""Answers that are lost, refused or broken at every request: nothing doubled, and the next apply converges."""

from __future__ import annotations

from collections import Counter

import pytest
from support.gate import DROPPED, Reply
from support.trial import told, trial
from support.vendors import NAMES

from reconciler.core.changes import Status
from reconciler.http.transport import Transport

AT_ONCE = (("retry-after", "0"),)
MOST = 100
BUSY = Reply(status=429, content=b'{"message": "slow down"}', headers=AT_ONCE)
FAILED = Reply(status=500, content=b'{"error": "internal fault"}')
GATEWAY = Reply(status=503, content=b"<h1>503</h1>", media_type="text/html", headers=AT_ONCE)
CUT = Reply(content=b'{"id": "half')
# What strikes, on which side of the server, and for how many requests from the struck one on.
DISTURBANCES = {
    "a dropped request": (DROPPED, "before", 1),
    "a dropped answer": (DROPPED, "after", 1),
    "a server that is gone from then on": (DROPPED, "before", MOST),
    "a burst of 429": (BUSY, "before", 3),
    "429 from then on": (BUSY, "before", MOST),
    "a 500 that did nothing": (FAILED, "before", 1),
    "a 500 that did its work": (FAILED, "after", 1),
    "a 503 that did nothing": (GATEWAY, "before", 1),
    "a 503 that did its work": (GATEWAY, "after", 1),
    "an answer cut in half": (CUT, "after", 1),
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """A second try follows at once: how long a run waits is proven elsewhere."""
    monkeypatch.setitem(Transport.__init__.__kwdefaults__, "jitter", lambda: 0.0)


@pytest.fixture(scope="module", params=NAMES)
def fleet(request, tmp_path_factory):
    with trial(tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made


@pytest.mark.parametrize("what", DISTURBANCES)
def test_a_run_disturbed_at_any_request_is_set_right_by_the_next(fleet, what, record_property):
    fleet, _ = fleet
    reply, side, count = DISTURBANCES[what]
    outcomes: Counter[str] = Counter()
    for point in range(1, MOST):
        fleet.reset()
        struck = []

        def strike(call, *_reply, point=point, struck=struck):
            if not point <= call.number < point + count:
                return None
            struck.append(call)
            return reply

        fleet.gate.set(**{side: strike})
        _, report = fleet.attempt()
        fleet.gate.set_aside()
        if not struck:
            assert {each.status for each in report.outcomes} == {Status.DONE}
            break
        outcomes[fleet.recovered(report)] += 1
    else:
        pytest.fail(f"no end after {MOST} points")

    told(record_property, f"{fleet.vendor}, {what}", outcomes)
    assert outcomes.total() >= 6
