"""The steps of the demo: from a typo to three servers that agree with git."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.cli.demo.repo import replace
from reconciler.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from reconciler.cli.demo.runner import DemoRun

_CLIENTS: Final = 12
_SECRETS: Final = Path(".reconciler/secrets")
_INVENTORY: Final = Path(".reconciler/inventory")
_REVIEWS: Final = Path("clients/workforce/access-reviews.yaml")
_REPORTS: Final = Path("clients/workforce/reports.yaml")
_STOREFRONT: Final = Path("clients/shop/storefront-web.yaml")
_PORTAL: Final = Path("clients/partners/partner-portal.yaml")


def run_story(demo: DemoRun) -> None:
    """Run all steps. Raises UnexpectedResult at the first one that comes out otherwise."""
    for step in (
        _show_repo,
        _find_mistake,
        _plan_one_client,
        _create_clients,
        _show_secrets,
        _plan_nothing,
        _find_drift,
        _mend_drift,
        _ignore_change,
        _plan_git_change,
        _apply_git_change,
        _refuse_replace,
        _allow_replace,
        _retry_after_faults,
        _look_for_secrets,
    ):
        step(demo)


def _show_repo(demo: DemoRun) -> None:
    demo.step("A repo: one project file, three servers, a dozen clients")
    demo.explain(
        "The sandbox plays Provident, SailPoint and Boruta on this machine. It is empty so far."
    )
    demo.show_tree("clients")


def _find_mistake(demo: DemoRun) -> None:
    demo.step("Somebody makes a mistake, and validate finds it without a network")
    replace(_REVIEWS, "homepageUrl:", "homePageUrl:")
    printed = demo.run("validate", code=ExitCode.FAILED)
    demo.expect_words(printed, f"{_REVIEWS}:13:3", "homepageUrl", "^")
    demo.explain("Mended:")
    replace(_REVIEWS, "homePageUrl:", "homepageUrl:")
    demo.expect_words(demo.run("validate"), f"{_CLIENTS} clients", "valid")


def _plan_one_client(demo: DemoRun) -> None:
    demo.step("What would happen? One client, with the very request")
    printed = demo.run(
        "plan", "--target", "workforce", "--select", "access-reviews", "--show-requests"
    )
    demo.expect_words(printed, "access-reviews to be created", "POST ")
    demo.expect(not demo.writes(), "a plan changes nothing")


def _create_clients(demo: DemoRun) -> None:
    demo.step("Apply creates the clients on all three servers")
    demo.run("apply", "--auto-approve")
    creates = [one for one in demo.writes() if one.method == "POST"]
    demo.expect(len(creates) == _CLIENTS, f"{_CLIENTS} clients take {_CLIENTS} POSTs")
    demo.expect(
        len(demo.writes()) == _CLIENTS + 1,
        "one client is inactive, which takes Provident a second call",
    )


def _show_secrets(demo: DemoRun) -> None:
    demo.step("The new secrets: one private file each, and nowhere else")
    files = demo.show_tree(str(_SECRETS))
    demo.expect(
        all(path.stat().st_mode & 0o777 == 0o600 for path in files),  # noqa: PLR2004 - a file mode
        "only their owner can read the secrets",
    )
    demo.expect(
        len(files) == _CLIENTS - 1, "each secret that a server made is kept, the brought one is not"
    )
    demo.explain("Beside them, and made for git, is the record of which clients are ours:")
    demo.show_tree(str(_INVENTORY))


def _plan_nothing(demo: DemoRun) -> None:
    demo.step("The servers agree with git: the next plan is empty, the next apply does nothing")
    demo.run("plan", "--detailed-exitcode")
    demo.run("apply", "--auto-approve")
    demo.expect(not demo.writes(), "what is as wanted is not written again")


def _find_drift(demo: DemoRun) -> None:
    demo.step("Somebody edits a client in SailPoint's console")
    before = demo.sandbox.client("sailpoint", _remote_id("workforce", "access-reviews"))
    uris = [*before["redirectUris"], "http://localhost:8080/callback"]
    _edit(
        demo,
        "workforce",
        "access-reviews",
        "sailpoint",
        redirectUris=uris,
        accessTokenValiditySeconds=86400,
    )
    demo.explain("A redirect URI for a test was added, and tokens now live for a day. The plan:")
    printed = demo.run("plan", "--detailed-exitcode", code=ExitCode.CHANGES_PENDING)
    demo.expect_words(
        printed,
        "access-reviews",
        "accessTokenValiditySeconds: 86400 -> 1200",
        '- "http://localhost:8080/callback"',
        "changed on the server since the last apply",
    )


def _mend_drift(demo: DemoRun) -> None:
    demo.step("Apply mends it with one minimal request")
    printed = demo.run("apply", "--auto-approve", "--show-requests")
    _expect_one(demo, "PATCH")
    demo.expect_words(printed, "PATCH ", "application/json-patch+json", "1 request sent")


def _ignore_change(demo: DemoRun) -> None:
    demo.step("The operators raise a limit that the manifest tells to ignore")
    _edit(demo, "shop", "storefront-web", "provident", rateLimitCount=5000)
    demo.run("plan", "--detailed-exitcode")
    demo.explain("lifecycle.ignoreChanges holds /rateLimitCount, so that this is no drift.")


def _plan_git_change(demo: DemoRun) -> None:
    demo.step("A commit: a redirect URI for one client, a scope for another")
    callback = "    - https://shop.example.com/callback\n"
    added = "    - https://shop.example.com/checkout\n"
    replace(_STOREFRONT, callback, callback + added)
    invoices = "    - name: partner.invoices\n"
    replace(_PORTAL, invoices, invoices + "    - name: partner.returns\n")
    printed = demo.run("plan")
    demo.expect_words(
        printed, '+ "https://shop.example.com/checkout"', "partner.returns", "changed in git"
    )


def _apply_git_change(demo: DemoRun) -> None:
    demo.step("Each vendor gets it the way it needs it: a whole PUT here, a part of one there")
    demo.run("apply", "--auto-approve", "--show-requests")
    demo.expect(len(demo.writes()) == 2, "two clients take two requests")  # noqa: PLR2004
    demo.expect(
        demo.sandbox.client("provident", _remote_id("shop", "storefront-web"))["rateLimitCount"]
        == 5000,  # noqa: PLR2004 - what the operators set
        "Provident's PUT, which holds every field, carries over what is not ours",
    )


def _refuse_replace(demo: DemoRun) -> None:
    demo.step("A scope, which SailPoint cannot change, takes a new client: refused until allowed")
    replace(_REPORTS, "scope: [sp:audit:read]", "scope: [sp:audit:read, sp:audit:export]")
    printed = demo.run("apply", "--auto-approve", code=ExitCode.REFUSED)
    demo.expect_words(printed, "audit-report", "to be replaced", "allowReplace: true")
    demo.expect(not demo.writes(), "what a guard refuses stops the whole apply")


def _allow_replace(demo: DemoRun) -> None:
    demo.step("The manifest allows it: create the new one, then delete the old one")
    before = _remote_id("workforce", "audit-report")
    replace(_REPORTS, "allowReplace: false", "allowReplace: true")
    demo.run("apply", "--auto-approve", "--target", "workforce")
    methods = [one.method for one in demo.writes()]
    demo.expect(methods == ["POST", "DELETE"], "a replace creates before it deletes")
    demo.expect(before != _remote_id("workforce", "audit-report"), "it has a new id")


def _retry_after_faults(demo: DemoRun) -> None:
    demo.step("A bad day: SailPoint answers 503 and then drops a connection")
    demo.sandbox.set_faults("503=1:sailpoint,get", "drop=1@2:sailpoint,get")
    demo.run("plan", "--detailed-exitcode")
    demo.sandbox.set_faults()
    asked = [one for one in demo.sandbox.requests if one.vendor == "sailpoint"]
    demo.expect(any(one.status != 200 for one in asked), "the server failed")  # noqa: PLR2004
    demo.explain("What is safe to send again was sent again, and the plan is still empty.")


def _look_for_secrets(demo: DemoRun) -> None:
    demo.step("Was a secret shown, or written where it does not belong?")
    kept = [path for path in Path().rglob("*") if path.is_file() and _SECRETS not in path.parents]
    shown = demo.printed + "".join(path.read_text(encoding="utf-8") for path in kept)
    issued = demo.sandbox.issued_secrets
    demo.expect(not any(secret in shown for secret in issued), "no secret is shown or written")
    demo.explain(
        f"No: {len(issued)} secrets and tokens went back and forth, and none of them is in what was\n"
        f"printed above or in any of the {len(kept)} other files of this repo.\n\n"
        "That was all of it: every step came out as it should."
    )


def _remote_id(target: str, key: str) -> str:
    """A client's id, looked up in the inventory as a person would."""
    document = json.loads((_INVENTORY / target / f"{key}.json").read_text(encoding="utf-8"))
    return str(document["client"]["id"])


def _edit(demo: DemoRun, target: str, key: str, vendor: str, **fields: Any) -> None:
    demo.sandbox.edit(vendor, _remote_id(target, key), **fields)


def _expect_one(demo: DemoRun, method: str) -> None:
    methods = [one.method for one in demo.writes()]
    demo.expect(methods == [method], f"one {method} is all it takes, not {methods}")
