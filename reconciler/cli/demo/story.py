"""The life of a few clients, step by step: from a typo to three servers that agree with git."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.cli.demo.repo import replace
from reconciler.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from reconciler.cli.demo.stage import Stage

_CLIENTS: Final = 12
_SECRETS: Final = Path(".reconciler/secrets")
_INVENTORY: Final = Path(".reconciler/inventory")
_REVIEWS: Final = Path("clients/workforce/access-reviews.yaml")
_REPORTS: Final = Path("clients/workforce/reports.yaml")
_STOREFRONT: Final = Path("clients/shop/storefront-web.yaml")
_PORTAL: Final = Path("clients/partners/partner-portal.yaml")


def tell(stage: Stage) -> None:
    """Tell all of it. Raises Unexpected at the first step that comes out otherwise."""
    for step in (
        _the_repo,
        _a_mistake,
        _a_first_plan,
        _a_first_apply,
        _secrets,
        _nothing_to_do,
        _drift,
        _drift_mended,
        _a_knob_that_is_not_ours,
        _a_change_in_git,
        _a_change_in_git_applied,
        _an_immutable_field,
        _a_replace_allowed,
        _a_bad_day,
        _the_end,
    ):
        step(stage)


def _the_repo(stage: Stage) -> None:
    stage.step("A repo: one project file, three servers, a dozen clients")
    stage.narrate(
        "The sandbox plays Provident, SailPoint and Boruta on this machine. It is empty so far."
    )
    stage.show_tree("clients")


def _a_mistake(stage: Stage) -> None:
    stage.step("Somebody makes a mistake, and validate finds it without a network")
    replace(_REVIEWS, "homepageUrl:", "homePageUrl:")
    printed = stage.run("validate", code=ExitCode.FAILED)
    stage.expect_words(printed, f"{_REVIEWS}:13:3", "homepageUrl", "^")
    stage.narrate("Mended:")
    replace(_REVIEWS, "homePageUrl:", "homepageUrl:")
    stage.expect_words(stage.run("validate"), f"{_CLIENTS} clients", "valid")


def _a_first_plan(stage: Stage) -> None:
    stage.step("What would happen? One client, with the very request")
    printed = stage.run(
        "plan", "--target", "workforce", "--select", "access-reviews", "--show-requests"
    )
    stage.expect_words(printed, "access-reviews to be created", "POST ")
    stage.expect(not stage.writes(), "a plan changes nothing")


def _a_first_apply(stage: Stage) -> None:
    stage.step("Apply creates the clients on all three servers")
    stage.run("apply", "--auto-approve")
    creates = [one for one in stage.writes() if one.method == "POST"]
    stage.expect(len(creates) == _CLIENTS, f"{_CLIENTS} clients take {_CLIENTS} POSTs")
    stage.expect(
        len(stage.writes()) == _CLIENTS + 1,
        "one client is inactive, which takes Provident a second call",
    )


def _secrets(stage: Stage) -> None:
    stage.step("The new secrets: one private file each, and nowhere else")
    files = stage.show_tree(str(_SECRETS))
    stage.expect(
        all(path.stat().st_mode & 0o777 == 0o600 for path in files),  # noqa: PLR2004 - a file mode
        "only their owner can read the secrets",
    )
    stage.expect(
        len(files) == _CLIENTS - 1, "each secret that a server made is kept, the brought one is not"
    )
    stage.narrate("Beside them, and made for git, is the record of which clients are ours:")
    stage.show_tree(str(_INVENTORY))


def _nothing_to_do(stage: Stage) -> None:
    stage.step("The servers agree with git: the next plan is empty, the next apply does nothing")
    stage.run("plan", "--detailed-exitcode")
    stage.run("apply", "--auto-approve")
    stage.expect(not stage.writes(), "what is as wanted is not written again")


def _drift(stage: Stage) -> None:
    stage.step("Somebody edits a client in SailPoint's console")
    before = stage.sandbox.client("sailpoint", _remote_id("workforce", "access-reviews"))
    uris = [*before["redirectUris"], "http://localhost:8080/callback"]
    _edit(
        stage,
        "workforce",
        "access-reviews",
        "sailpoint",
        redirectUris=uris,
        accessTokenValiditySeconds=86400,
    )
    stage.narrate("A redirect URI for a test was added, and tokens now live for a day. The plan:")
    printed = stage.run("plan", "--detailed-exitcode", code=ExitCode.CHANGES_PENDING)
    stage.expect_words(
        printed,
        "access-reviews",
        "accessTokenValiditySeconds: 86400 -> 1200",
        '- "http://localhost:8080/callback"',
        "changed on the server since the last apply",
    )


def _drift_mended(stage: Stage) -> None:
    stage.step("Apply mends it with one minimal request")
    printed = stage.run("apply", "--auto-approve", "--show-requests")
    _expect_one(stage, "PATCH")
    stage.expect_words(printed, "PATCH ", "application/json-patch+json", "1 request sent")


def _a_knob_that_is_not_ours(stage: Stage) -> None:
    stage.step("The operators raise a limit that the manifest tells to ignore")
    _edit(stage, "shop", "storefront-web", "provident", rateLimitCount=5000)
    stage.run("plan", "--detailed-exitcode")
    stage.narrate("lifecycle.ignoreChanges holds /rateLimitCount, so that this is no drift.")


def _a_change_in_git(stage: Stage) -> None:
    stage.step("A commit: a redirect URI for one client, a scope for another")
    callback = "    - https://shop.example.com/callback\n"
    added = "    - https://shop.example.com/checkout\n"
    replace(_STOREFRONT, callback, callback + added)
    invoices = "    - name: partner.invoices\n"
    replace(_PORTAL, invoices, invoices + "    - name: partner.returns\n")
    printed = stage.run("plan")
    stage.expect_words(
        printed, '+ "https://shop.example.com/checkout"', "partner.returns", "changed in git"
    )


def _a_change_in_git_applied(stage: Stage) -> None:
    stage.step("Each vendor gets it the way it needs it: a whole PUT here, a part of one there")
    stage.run("apply", "--auto-approve", "--show-requests")
    stage.expect(len(stage.writes()) == 2, "two clients take two requests")  # noqa: PLR2004
    stage.expect(
        stage.sandbox.client("provident", _remote_id("shop", "storefront-web"))["rateLimitCount"]
        == 5000,  # noqa: PLR2004 - what the operators set
        "Provident's PUT, which holds every field, carries over what is not ours",
    )


def _an_immutable_field(stage: Stage) -> None:
    stage.step("A scope, which SailPoint cannot change, takes a new client: refused until allowed")
    replace(_REPORTS, "scope: [sp:audit:read]", "scope: [sp:audit:read, sp:audit:export]")
    printed = stage.run("apply", "--auto-approve", code=ExitCode.REFUSED)
    stage.expect_words(printed, "audit-report", "to be replaced", "allowReplace: true")
    stage.expect(not stage.writes(), "what a guard refuses stops the whole apply")


def _a_replace_allowed(stage: Stage) -> None:
    stage.step("The manifest allows it: create the new one, then delete the old one")
    before = _remote_id("workforce", "audit-report")
    replace(_REPORTS, "allowReplace: false", "allowReplace: true")
    stage.run("apply", "--auto-approve", "--target", "workforce")
    methods = [one.method for one in stage.writes()]
    stage.expect(methods == ["POST", "DELETE"], "a replace creates before it deletes")
    stage.expect(before != _remote_id("workforce", "audit-report"), "it has a new id")


def _a_bad_day(stage: Stage) -> None:
    stage.step("A bad day: SailPoint answers 503 and then drops a connection")
    stage.sandbox.set_faults("503=1:sailpoint,get", "drop=1@2:sailpoint,get")
    stage.run("plan", "--detailed-exitcode")
    stage.sandbox.set_faults()
    asked = [one for one in stage.sandbox.requests if one.vendor == "sailpoint"]
    stage.expect(any(one.status != 200 for one in asked), "the server failed")  # noqa: PLR2004
    stage.narrate("What is safe to send again was sent again, and the plan is still empty.")


def _the_end(stage: Stage) -> None:
    stage.step("Was a secret shown, or written where it does not belong?")
    kept = [path for path in Path().rglob("*") if path.is_file() and _SECRETS not in path.parents]
    shown = stage.printed + "".join(path.read_text(encoding="utf-8") for path in kept)
    issued = stage.sandbox.issued_secrets
    stage.expect(not any(secret in shown for secret in issued), "no secret is shown or written")
    stage.narrate(
        f"No: {len(issued)} secrets and tokens went back and forth, and none of them is in what was\n"
        f"printed above or in any of the {len(kept)} other files of this repo.\n\n"
        "That was all of it: every step came out as it should."
    )


def _remote_id(target: str, key: str) -> str:
    """Look up a client's id in the inventory, as a person would."""
    document = json.loads((_INVENTORY / f"{target}.json").read_text(encoding="utf-8"))
    return str(document["clients"][key]["id"])


def _edit(stage: Stage, target: str, key: str, vendor: str, **fields: Any) -> None:
    stage.sandbox.edit(vendor, _remote_id(target, key), **fields)


def _expect_one(stage: Stage, method: str) -> None:
    methods = [one.method for one in stage.writes()]
    stage.expect(methods == [method], f"one {method} is all it takes, not {methods}")
