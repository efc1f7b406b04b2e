"""Every wrong answer that a server or a box before it may give: one stated outcome, and never an absence."""

from __future__ import annotations

import json

import pytest
from support.gate import Reply
from support.trial import trial
from support.vendors import NAMES

from reconciler.core.changes import Status
from reconciler.http.transport import LARGEST_ANSWER, Transport

MEGABYTE = b" " * (1 << 20)
AT_ONCE = (("retry-after", "0"),)
ELSEWHERE = (("location", "https://login.example.com/?next=secret"),)


def _without_end(sent):
    for _ in range(1024):
        sent.append(len(MEGABYTE))
        yield MEGABYTE


def huge(sent):
    """An answer of 1 GB, as it is taken off our hands."""
    return Reply(content=_without_end(sent), length=1 << 30)


# The answer, whether the server did its work before it, and what the plan and a create say of it.
ANSWERS = {
    "401": (Reply(status=401), False, "401", Status.FAILED),
    "403": (Reply(status=403), False, "403", Status.FAILED),
    "500": (Reply(status=500), True, "500", Status.UNKNOWN),
    "503": (Reply(status=503, headers=AT_ONCE), True, "503", Status.UNKNOWN),
    "a redirect": (Reply(status=302, headers=ELSEWHERE), False, "redirect", Status.FAILED),
    "HTML": (
        Reply(content=b"<h1>hi</h1>", media_type="text/html"),
        True,
        "text/html",
        Status.UNKNOWN,
    ),
    "no content type": (Reply(media_type=""), True, "no content type", Status.UNKNOWN),
    "truncated JSON": (Reply(content=b'{"id": "ha'), True, "broken or cut off", Status.UNKNOWN),
    "nothing at all": (Reply(content=b""), True, "no body", Status.UNKNOWN),
    "the wrong shape": (Reply(content=b'{"ok": [1]}'), True, "", Status.UNKNOWN),
    "null": (Reply(content=b"null"), True, "", Status.UNKNOWN),
    "a Retry-After of a day": (
        Reply(status=429, headers=(("retry-after", "86400"),)),
        False,
        "86400 s",
        Status.FAILED,
    ),
    "a body of 1 GB": (huge, True, "too large", Status.UNKNOWN),
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setitem(Transport.__init__.__kwdefaults__, "jitter", lambda: 0.0)


@pytest.fixture(scope="module", params=NAMES)
def fleet(request, tmp_path_factory):
    with trial(tmp_path_factory.mktemp(request.param), request.param) as (made, _runner):
        yield made


def answered(reply, sent):
    return reply(sent) if callable(reply) else reply


def writes(fleet):
    return [call for call, _ in fleet.gate.handled if call.method != "GET" and not call.is_token]


@pytest.mark.parametrize("what", ANSWERS)
def test_a_bad_answer_to_a_read_ends_the_plan_with_its_reason_and_nothing_is_sent(fleet, what):
    reply, _, words, _ = ANSWERS[what]
    sent = []
    fleet.reset()
    fleet.gate.set(before=lambda call: answered(reply, sent) if call.method == "GET" else None)

    plan, report = fleet.attempt()

    (target,) = plan.targets
    assert (target.changes, report, writes(fleet)) == ((), None, [])
    assert len(target.errors) == 1
    assert words in target.errors[0]
    # What is read of an answer, and what the system holds of it on the way.
    assert sum(sent) < LARGEST_ANSWER + (64 << 20)


@pytest.mark.parametrize("what", ANSWERS)
def test_a_bad_answer_to_the_login_ends_the_plan_with_its_reason_and_nothing_is_sent(fleet, what):
    reply = ANSWERS[what][0]
    sent = []
    fleet.reset()
    fleet.gate.set(before=lambda call: answered(reply, sent) if call.is_token else None)

    plan, report = fleet.attempt()

    (target,) = plan.targets
    assert (target.changes, report, fleet.gate.handled) == ((), None, [])
    assert len(target.errors) == 1
    assert "token server" in target.errors[0] or "wait" in target.errors[0]


@pytest.mark.parametrize("what", ANSWERS)
def test_a_bad_answer_to_a_create_is_told_for_what_it_is_and_the_next_run_doubles_nothing(
    fleet, what
):
    reply, did_its_work, words, status = ANSWERS[what]
    sent = []
    fleet.reset()

    def strike(call, *_reply):
        creates = call.method == "POST" and not call.is_token and b"new-a" in call.body
        return answered(reply, sent) if creates else None

    fleet.gate.set(**{"after" if did_its_work else "before": strike})

    _, report = fleet.attempt()
    fleet.gate.set_aside()

    (struck,) = [each for each in report.outcomes if each.key == "new-a"]
    # Where the id was chosen, the run itself finds out what came of it: there, or sent once more.
    settled = status is Status.UNKNOWN and fleet.vendor == "boruta"
    assert struck.status is (Status.DONE if settled else status)
    assert settled or words in struck.message
    assert "secret" not in struck.message.replace("client_secret", "")
    others = {each.status for each in report.outcomes if each.key != "new-a"}
    assert others <= {Status.DONE, Status.SKIPPED, Status.FAILED}
    fleet.recovered(report)


LISTS = {
    "ids twice": lambda items: [*items, items[0]],
    "the same page for ever": lambda _items: [{"id": f"c{n}"} for n in range(250)],
    "a page longer than asked for": lambda _items: [{"id": f"c{n}"} for n in range(251)],
    "a client without an id": lambda items: [{**items[0], "id": None}],
    "no client but a text": lambda items: [*items, "client"],
}


@pytest.mark.parametrize(
    ("fleet", "what"),
    [
        *(("sailpoint", what) for what in LISTS),
        *(("boruta", what) for what in LISTS if "page" not in what),
    ],
    indirect=["fleet"],
)
def test_a_list_that_cannot_be_whole_ends_the_plan_and_nobody_is_gone(fleet, what):
    fleet.reset()

    def strike(call, reply):
        if call.method != "GET":
            return None
        body = json.loads(reply.content)
        items = body["data"] if fleet.vendor == "boruta" else body
        items[:] = LISTS[what](list(items))
        return Reply(content=json.dumps(body).encode())

    fleet.gate.set(after=strike)

    plan, report = fleet.attempt()

    (target,) = plan.targets
    assert (target.changes, report, writes(fleet)) == ((), None, [])
    assert "the list of clients" in target.errors[0]
