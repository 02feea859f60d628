"""The hostile rows about access, each against the running services.

`vendor_a` of the rows is nat of north, `vendor_b` is sam of south.
"""

import base64
import json
import re
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from clp_contracts.errors import Refused
from clp_suite.sample_data import LINGUIST, PORTAL
from tests.cases.loading import HostileCase, hostile_cases
from tests.journeys.scenario import Stage

CASES = hostile_cases("access")


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """The code and the detail with which a call is refused."""
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code, refused.value.detail_json


def no_passport(claims: dict[str, str]) -> str:
    """A token that names its subject and is signed by nobody."""
    parts = ({"alg": "none", "kid": "gateway"}, claims)
    encoded = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in parts
    )
    return ".".join((*encoded, ""))


def read_channel(stage: Stage) -> None:
    nat = stage.as_("nat").messages
    stage.post("sam", stage.direct("south"), "secret")
    told = {
        refusal(lambda c=channel: nat.page(channel=c))  # type: ignore[misc]
        for channel in (
            stage.direct("south"),
            stage.direct("nobody"),
            "nowhere/broadcast",
        )
    }
    assert told == {("channel.missing", "{}")}


def read_message(stage: Stage) -> None:
    nat = stage.as_("nat")
    hidden = stage.post("sam", stage.direct("south"), "secret").id
    for message in (hidden, "f" * 32):
        missing = ("message.missing", "{}")
        assert (
            refusal(lambda m=message: nat.messages.edit(message=m, text="x")) == missing
        )  # type: ignore[misc]
        assert refusal(lambda m=message: nat.messages.delete(message=m)) == missing  # type: ignore[misc]
        assert (
            refusal(lambda m=message: nat.messages.earlier_texts(message=m)) == missing
        )  # type: ignore[misc]


def foreign_actor(stage: Stage) -> None:
    ask = {"channel": stage.direct("south"), "actor": "sam"}
    token = {"auth_token": stage.suite.passport("nat")}
    code, detail = refusal(lambda: stage.suite.call("messages.page", ask, token))
    assert (code, list(json.loads(detail)["fields"])) == ("ask.malformed", ["actor"])


def alg_none(stage: Stage) -> None:
    claims = {"sub": "ivy", "kind": "person", "aud": "clp-communications"}
    ask = {"channel": stage.broadcast}
    for forged in (no_passport(claims), no_passport(claims | {"kind": "service"}), "x"):
        told = refusal(
            lambda f=forged: stage.suite.call("messages.page", ask, {"auth_token": f})  # type: ignore[misc]
        )
        assert told == ("passport.refused", "{}")


def spoofed_header(stage: Stage) -> None:
    spoofed = {"user_id": "ivy", "subject": "ivy", "kind": "service", "actor": "ivy"}
    token = spoofed | {"auth_token": stage.suite.passport("nat")}
    for method, ask in (
        ("messages.page", {"channel": stage.direct("south")}),
        ("messages.post", {"channel": stage.direct("south"), "key": "k", "text": "x"}),
    ):
        told = refusal(lambda m=method, a=ask: stage.suite.call(m, a, token))  # type: ignore[misc]
        assert told == ("channel.missing", "{}")
    assert refusal(lambda: stage.suite.call("messages.page", {}, spoofed)) == (
        "passport.missing",
        "{}",
    )


def send_broadcast(stage: Stage) -> None:
    told = refusal(lambda: stage.post("nat", stage.broadcast, "hello all"))
    assert told == ("broadcast.internal_only", "{}")
    assert stage.as_("ivy").messages.page(channel=stage.broadcast).messages == ()


def robot_send(stage: Stage) -> None:
    told = refusal(lambda: stage.post("robot", stage.direct("south"), "hello"))
    assert told == ("channel.missing", "{}")


def suppressed(stage: Stage, person: str, change: Callable[[], object]) -> None:
    """Somebody follows, loses access, and is not mailed what is posted then."""
    stage.follow(person)
    change()
    posted = stage.post("ivy", stage.direct("north"), "for north alone")
    assert stage.mailed() == []
    told = stage.directory.notifications.explain(message=posted.id, person=person)
    assert [who.told for who in told.people] == [False]


def newcomer(stage: Stage, **now: object) -> Callable[[], object]:
    """Pia of north, and then her record as it is now."""
    pia: dict[str, object] = {
        "id": f"pia-{stage.project}",
        "name": "Pia Blanc",
        "email": f"pia-{stage.project}@north.example",
        "partner": "north",
        "roles": [PORTAL],
    }
    put = stage.directory.projects.put_person
    put(**pia)  # type: ignore[arg-type]
    return lambda: put(**(pia | now))  # type: ignore[arg-type]


def removed_before_mail(stage: Stage) -> None:
    suppressed(stage, "nat", lambda: stage.withdraw("north"))


def linguist_before_mail(stage: Stage) -> None:
    change = newcomer(stage, roles=[PORTAL, LINGUIST])
    suppressed(stage, f"pia-{stage.project}", change)


def moved_before_mail(stage: Stage) -> None:
    change = newcomer(stage, partner="south")
    suppressed(stage, f"pia-{stage.project}", change)


def list_followers(stage: Stage) -> None:
    stage.follow("sam", "sol")
    nat = stage.as_("nat")
    hidden = stage.post("sam", stage.direct("south"), "secret")
    stage.suite.settle()
    for message in (hidden.id, "f" * 32):
        told = refusal(lambda m=message: nat.notifications.explain(message=m))  # type: ignore[misc]
        assert told == ("message.missing", "{}")
    told = refusal(lambda: nat.projects.followers(project=stage.project))
    assert told == ("passport.wrong_kind", "{}")


def autocomplete(stage: Stage) -> None:
    nat = stage.as_("nat").messages

    def offered(typed: str) -> set[str]:
        found = nat.mentionable(channel=stage.direct("north"), typed=typed)
        return {person.id for person in found.people}

    # Nobody whose name or address begins so is of north, or of the studio.
    assert offered("sam") == offered("sol") == offered("sam@south.example") == set()
    assert {"ivy", "ian"} <= offered("i")
    assert {"sam", "sol", "wes"}.isdisjoint(offered(""))


def bulk_read(stage: Stage) -> None:
    stage.post("ivy", stage.broadcast, "hello")
    nat = stage.as_("nat").messages
    asked = [f"guess-{number}" for number in range(9_999)]
    told = nat.unread(projects=[*asked, stage.project])
    assert [project.project for project in told.projects] == [stage.project]
    code, _ = refusal(lambda: nat.unread(projects=[*asked, stage.project, "one-more"]))
    assert code == "ask.malformed"
    page = nat.page(channel=stage.broadcast, limit=10_000)
    assert len(page.messages) == 1


def same_key(stage: Stage) -> None:
    channel = stage.direct("north")
    first, second = (
        stage.as_(person).messages.post(channel=channel, text=person, key="same")
        for person in ("nat", "nia")
    )
    assert (first.number, second.number) == (1, 2)


def stop_link(stage: Stage) -> str:
    """The path of the link in a mail to nat that stops more of them."""
    stage.follow("nat")
    stage.post("ivy", stage.broadcast, "hello")
    (mail,) = stage.mails()
    found = re.search(r"/mail/stop/[^>\s]+", str(mail["List-Unsubscribe"]))
    assert found
    return found[0]


def ask_page(stage: Stage, verb: str, path: str) -> tuple[int, bytes]:
    request = Request(stage.suite.stop_pages_url + path, method=verb)  # noqa: S310
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def is_still_mailed(stage: Stage) -> bool:
    before = len(stage.mails())
    stage.post("ivy", stage.broadcast, "again")
    return len(stage.mails()) > before


def forged_unsubscribe(stage: Stage) -> None:
    path = stop_link(stage)
    last = "A" if path[-1] != "A" else "B"
    forgeries = [path[:-8] + "AAAAAAA" + last, "/mail/stop/nat", "/mail/stop/x.y.z"]
    answers = {ask_page(stage, "POST", forged) for forged in forgeries}
    assert {status for status, _ in answers} == {404}
    assert len(answers) == 1, "the answers tell forgeries apart"
    assert is_still_mailed(stage)


def unsubscribe_by_get(stage: Stage) -> None:
    path = stop_link(stage)
    assert ask_page(stage, "GET", path)[0] == 200
    assert is_still_mailed(stage)
    assert ask_page(stage, "POST", path)[0] == 200
    assert not is_still_mailed(stage)


OPERATIONS: dict[str, Callable[[Stage], None]] = {
    "read_channel": read_channel,
    "read_message": read_message,
    "rpc_with_foreign_actor": foreign_actor,
    "rpc_token_alg_none": alg_none,
    "rpc_context_header_spoof": spoofed_header,
    "send_broadcast": send_broadcast,
    "robot_send": robot_send,
    "race_remove_before_delivery": removed_before_mail,
    "race_role_change_before_delivery": linguist_before_mail,
    "race_vendor_move": moved_before_mail,
    "list_followers": list_followers,
    "autocomplete": autocomplete,
    "bulk_read": bulk_read,
    "idempotency_cross_user": same_key,
    "unsubscribe_forged": forged_unsubscribe,
    "unsubscribe_get": unsubscribe_by_get,
}


def test_every_row_is_played() -> None:
    assert {case.facts["op"] for case in CASES} == set(OPERATIONS)
    assert len(CASES) == 16


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id} {case.name}")
def test_access_is_refused_as_the_row_says(stage: Stage, case: HostileCase) -> None:
    OPERATIONS[case.facts["op"]](stage)


BODIES = hostile_cases("body")
# Rows that leave the choice; here a text is refused when it is longer than allowed.
EITHER = {"body-021", "body-034", "body-035"}
TEXT_REFUSED = {"text.empty", "text.too_long", "text.malformed", "ask.malformed"}


def posted_or_refused(stage: Stage, text: str) -> tuple[int, str]:
    """The number of the message, or the code with which it is refused."""
    try:
        return stage.post("nat", stage.direct("north"), text).number, ""
    except Refused as error:
        return 0, error.code


def test_every_body_is_kept_as_it_was_sent_or_refused(stage: Stage) -> None:
    """Read and edited as it was posted, code point by code point (rule 9)."""
    kept: list[tuple[int, str]] = []
    for case in BODIES:
        number, code = posted_or_refused(stage, case.value)
        if number:
            kept.append((number, case.value))
        assert code in {"", *TEXT_REFUSED}, case
        if case.id not in EITHER:
            assert bool(code) == case.expect.startswith("reject"), case
    page = stage.as_("ivy").messages.page(channel=stage.direct("north"), limit=100)
    assert [(message.number, message.text) for message in page.messages] == kept
