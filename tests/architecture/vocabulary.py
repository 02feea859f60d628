"""The dictionary as data: words that are refused, and the words to use instead.

Three tables. `PRODUCT` and `TECHNICAL` hold words that can mean nothing else here: a
technical one is refused in every name and in every text (comments, documents, metrics,
log lines), a product one in names. `AMBIGUOUS` holds words with a good use elsewhere:
they are refused as whole identifiers of some kinds. `EXCEPTIONS` lists the places where
a refused word is the right one, each with its reason.
"""

from dataclasses import dataclass, field
from typing import Final

# A module with such a name has no subject.
CATCH_ALL_NAMES: Final = frozenset({
    "base", "common", "commons", "generic", "helper", "helpers", "lib", "libs", "misc",
    "miscellaneous", "shared", "stuff", "tools", "util", "utilities", "utils",
})  # fmt: skip

# Word -> the product's word. Only words with one meaning here: "user" is the login of a
# server, "sender" the From of a mail, "thread" the thread of a mail.
PRODUCT: Final = {
    "agency": "partner",
    "badge": "unread",
    "bot": "robot",
    "chat_room": "channel",
    "chatroom": "channel",
    "current_user": "actor",
    "dto": "facts",
    "is_external": "side",
    "is_internal": "side",
    "last_seen": "read marker",
    "private_channel": "direct channel",
    "public_channel": "broadcast channel",
    "requester": "actor",
    "room_id": "channel",
    "room_name": "channel",
    "rooms": "channel",
    "supplier": "partner",
    "to_user": "recipient",
    "username": "handle or the server's login",
    "vendor": "partner",
    "verdict": "decision",
    "viewer": "reader",
    "watcher": "follower",
}

# Pattern of the forms of a word, in lower case -> the field's word. A space in a
# pattern stands for a space, hyphen or underscore.
TECHNICAL: Final = {
    "admissions?": "eligibility",
    "allowances?": "rate limiter",
    "apply again": "redrive",
    "at the door": "at the recheck",
    "chores?": "periodic task",
    "desks?": "dependencies",
    "doorkeepers?": "eligibility checker",
    "doors?": "access check, eligibility",
    "given up": "dead letter, failed",
    "good for s": "lease_s",
    "hang(?:s|ing)? up": "close, discard",
    "hand(?:s|ed|ing)? over": "send",
    "lanes?": "throttle",
    "obey(?:s|ed|ing)?": "require, follow",
    "parked": "dead letter",
    "retry keys?": "idempotency key",
    "(?:set|put|sets|puts|setting) aside|asides?": "dead letter",
    "seal(?:s|ed|ing)?": "token, sign, encrypt",
    "stumbled": "failed",
    "surroundings": "context",
    "tongues?": "locale",
    "type ahead": "autocomplete",
}

# In constants and settings, as written.
LIMITS: Final = (
    r"(?<![A-Za-z])(?:[A-Z]+_)*(?:MOST|LONGEST|LARGEST|FEWEST|SHORTEST)_[A-Z]"
)
SAY_LIMIT: Final = "MAX_ or MIN_"

MODULE, CLASS, FUNCTION = "module", "class", "function"
ARGUMENT, FIELD, VARIABLE = "argument", "field", "variable"
EVERY_KIND: Final = frozenset({MODULE, CLASS, FUNCTION, ARGUMENT, FIELD, VARIABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """A word refused as a whole identifier; `pattern` matches its snake case."""

    pattern: str
    say: str
    kinds: frozenset[str] = field(default=EVERY_KIND)


def _only(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


AMBIGUOUS: Final = (
    Ambiguous(pattern="ask(s|ed|ing)?", say="request"),
    Ambiguous(pattern="answer(s|ed|ing)?", say="response, reply, result"),
    Ambiguous(pattern="told|said", say="response, result, text", kinds=_only(FUNCTION, CLASS, MODULE, ARGUMENT)),
    Ambiguous(pattern="parts", say="deps", kinds=_only(MODULE, CLASS, ARGUMENT, FIELD)),
    Ambiguous(pattern="_?houses?", say="sender identity, host, sample data"),
    Ambiguous(pattern="hands?", say="worker, consumer"),
    Ambiguous(pattern="hold", say="lease, slot"),
    Ambiguous(pattern="known", say="cache", kinds=_only(CLASS, FIELD, FUNCTION)),
    Ambiguous(pattern="lines?", say="connection, session", kinds=_only(CLASS)),
    Ambiguous(pattern="letters?|letter_for", say="mail content", kinds=_only(CLASS, MODULE)),
    Ambiguous(pattern="paces?|pacing", say="interval, timer"),
    Ambiguous(pattern="standings?", say="access context, candidate span"),
    Ambiguous(pattern="hear(s|d|ing)?", say="consume"),
    Ambiguous(pattern=".*_everywhere|everywhere_.*", say="broadcast"),
    Ambiguous(pattern="readings?", say="sample, subscription, token stream", kinds=_only(CLASS, MODULE)),
    Ambiguous(pattern="promises?", say="lease"),
    Ambiguous(pattern="breaths?", say="minimal interval"),
    Ambiguous(pattern="turns?", say="fair queue, slot", kinds=_only(CLASS, MODULE)),
    Ambiguous(pattern="portions?", say="chunk"),
    Ambiguous(pattern="habits?|manners?", say="preferences, locale"),
    Ambiguous(pattern="crew|weather|lonely", say="process group, fault injector, embedded writer"),
    Ambiguous(pattern="story|stage", say="sample data, scenario", kinds=_only(MODULE, ARGUMENT, CLASS)),
    Ambiguous(pattern="gallery", say="samples", kinds=_only(MODULE)),
    Ambiguous(pattern="gathering", say="merge"),
    Ambiguous(pattern="beginnings?(_of)?", say="prefix entry"),
    Ambiguous(pattern="ills?", say="problem, failure"),
    Ambiguous(pattern="skeletons?", say="prerendered template"),
    Ambiguous(pattern="ledgers?", say="outcome writer, log"),
    Ambiguous(pattern="callers?", say="client", kinds=_only(CLASS, MODULE)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempt:
    """A place where a refused word is right: `path` is a glob, `match` a pattern."""

    path: str
    match: str
    reason: str


EXCEPTIONS: Final = (
    Exempt(path="*", match="ivy[ ._]lanes?", reason="the name of a person"),
    Exempt(
        path="tests/core/mentions/test_field.py",
        match="type-ahead",
        reason="an area of field.json",
    ),
    Exempt(
        path="services/notifications/*",
        match="^parts$",
        reason="RFC 2045 calls them body parts",
    ),
    Exempt(
        path="tests/services/notifications/*",
        match="^parts$",
        reason="RFC 2045 calls them body parts",
    ),
    Exempt(
        path="libs/clp_core/src/clp_core/routing.py",
        match="^told$",
        reason="the outcome of routing (rule 25)",
    ),
    Exempt(
        path="tests/core/test_routing.py",
        match="^told$",
        reason="the outcome of routing (rule 25)",
    ),
)
