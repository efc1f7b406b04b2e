"""Each rule by which a change is refused, with its sentence."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Self


class Rule(StrEnum):
    """Why a guard refuses: the word that a plan shows, and what the rule refuses, in a sentence.

    The table in docs/concepts.md has the same sentences; a test holds the two together.
    """

    refuses: str

    def __new__(cls, word: str, refuses: str) -> Self:
        """Make a member that is `word` as a text."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.refuses = refuses
        return member

    OWN_CLIENT = "own-client", "taking anything from the client that the tool itself logs in as"
    PROTECTED = "protected", "changing a client that the server itself needs"
    PREVENT_DESTROY = (
        "prevent-destroy",
        "a replace or a removal that the manifest forbids, or the last one did",
    )
    REPLACE_NOT_ALLOWED = "replace-not-allowed", "a replace that the manifest does not allow"
    REPLACE_IN_VAIN = (
        "replace-in-vain",
        "a replace after which the server would show the same value once more",
    )
    HIDDEN_SECRET = (
        "hidden-secret",
        "an update that must carry a secret of which the server shows a mask",
    )
    REPLACE_BOUND_ID = "replace-bound-id", "a replace of a client that `metadata.id` binds"
    REPLACE_UNOWNED = "replace-unowned", "taking over a client that would have to be replaced"
    NO_DELETE = "no-delete", "a replace where the vendor has no delete"
    BOUND_ID_ABSENT = "bound-id-absent", "a `metadata.id` that is not on the server"
    BARRED = "barred", "changing a client whose own token the server refuses, or nobody has kept"
    TAKEN_VALUE = (
        "taken-value",
        "giving a client a value that another has and that no two may share",
    )
    SHARED_ID = "shared-id", "two manifests that mean one client"
    TWO_OWNERS = "two-owners", "what two targets of one server both claim"
    OTHER_SERVER = "other-server", "a target whose record is of another server"
    AMBIGUOUS_MOVE = "ambiguous-move", "a move that does not say which client it means"
    RENAME = "rename", "creating a client that looks like one which loses its key"
    MAX_DELETES = "max-deletes", "taking away more clients than `policy.maxDeletes` allows"
    MAX_CHANGE_PERCENT = (
        "max-change-percent",
        "taking away a larger share of the clients than `policy.maxChangePercent` allows",
    )
    NO_MANIFEST_LEFT = "no-manifest-left", "pruning a target that has no manifest at all"
    UNREAD_MANIFEST = "unread-manifest", "pruning while a manifest of the target was not read"
    AMBIGUOUS_ADOPTION = "ambiguous-adoption", "taking over one of several clients of a name"
    DOUBTFUL_LIST = (
        "doubtful-list",
        "creating what `policy.adopt` would take over, while the list is not whole",
    )
    FOREIGN_NAMESAKE = (
        "foreign-namesake",
        "creating a client whose name one that is not ours has on the same server",
    )
    AMBIGUOUS_CREATE = (
        "ambiguous-create",
        "creating again where one of several clients may be what a lost create made",
    )
    UNKNOWN_CREATE = (
        "unknown-create",
        "creating again where nobody can look what a lost create made",
    )
    PENDING_CREATE = (
        "pending-create",
        "binding or rotating a client that a lost create may have made, or may have succeeded",
    )
    BOUND = "bound", "binding a client that is bound to another key"
    SUPERSEDED = "superseded", "binding a predecessor that is to be deleted"
    MEANT = "meant", "binding a client that another manifest means"
    KEY_BOUND = "key-bound", "binding a key that has another client"
    BOUND_ELSEWHERE = "bound-elsewhere", "binding a manifest whose `metadata.id` names another"
    NAMESAKE = "namesake", "importing, unasked, a client whose name a manifest without one has"
    ANOTHER_ID = "another-id", "resolving a create that chose an id with a client of another"
    NO_ROTATE = "no-rotate", "rotating where nothing gives a client another secret"
    NOT_AS_WANTED = (
        "not-as-wanted",
        "rotating by a replace what is not as its manifest wants",
    )
    STATED_SECRET = "stated-secret", "rotating a secret that the manifest states"
    NO_OLD_SECRET = "no-old-secret", "finishing a rotation where no old secret holds on"
    UNSTORED_SECRET = (
        "unstored-secret",
        "taking an old secret away while the new one is not in its sink",
    )
    SINK_FAILED = "sink-failed", "creating more while the sink refuses a secret that waits"


# Those that are about one client, so that no other change is worse for being sent without it. Any
# other rule, a new one too, stops the whole apply: it is about a target, or about whose a client is.
OF_ONE_CLIENT: Final = frozenset(
    {
        Rule.OWN_CLIENT,
        Rule.PROTECTED,
        Rule.PREVENT_DESTROY,
        Rule.REPLACE_NOT_ALLOWED,
        Rule.REPLACE_IN_VAIN,
        Rule.HIDDEN_SECRET,
        Rule.REPLACE_BOUND_ID,
        Rule.REPLACE_UNOWNED,
        Rule.NO_DELETE,
        Rule.BOUND_ID_ABSENT,
        Rule.BARRED,
        Rule.TAKEN_VALUE,
        Rule.AMBIGUOUS_ADOPTION,
        Rule.DOUBTFUL_LIST,
        Rule.AMBIGUOUS_CREATE,
        Rule.UNKNOWN_CREATE,
        Rule.PENDING_CREATE,
    }
)
