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
from tests.journeys.scenario import Scenario

CASES = hostile_cases("access")


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """The code and the detail with which a call is refused."""
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code, refused.value.detail_json


def no_passport(claims: dict[str, str]) -> str:
    """An unsigned token that names its subject."""
    parts = ({"alg": "none", "kid": "gateway"}, claims)
    encoded = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in parts
    )
    return ".".join((*encoded, ""))


def read_channel(scenario: Scenario) -> None:
    nat = scenario.as_("nat").messages
    scenario.post("sam", scenario.direct("south"), "secret")
    refused = {
        refusal(lambda c=channel: nat.page(channel=c))  # type: ignore[misc]
        for channel in (
            scenario.direct("south"),
            scenario.direct("nobody"),
            "nowhere/broadcast",
        )
    }
    assert refused == {("channel.missing", "{}")}


def read_message(scenario: Scenario) -> None:
    nat = scenario.as_("nat")
    hidden = scenario.post("sam", scenario.direct("south"), "secret").id
    for message in (hidden, "f" * 32):
        missing = ("message.missing", "{}")
        assert (
            refusal(lambda m=message: nat.messages.edit(message=m, text="x")) == missing
        )  # type: ignore[misc]
        assert refusal(lambda m=message: nat.messages.delete(message=m)) == missing  # type: ignore[misc]
        assert refusal(lambda m=message: nat.messages.revisions(message=m)) == missing  # type: ignore[misc]


def foreign_actor(scenario: Scenario) -> None:
    arguments = {"channel": scenario.direct("south"), "actor": "sam"}
    token = {"auth_token": scenario.suite.passport("nat")}
    code, detail = refusal(
        lambda: scenario.suite.call("messages.page", arguments, token)
    )
    assert (code, list(json.loads(detail)["fields"])) == (
        "request.malformed",
        ["actor"],
    )


def alg_none(scenario: Scenario) -> None:
    claims = {"sub": "ivy", "kind": "person", "aud": "clp-communications"}
    arguments = {"channel": scenario.broadcast}
    for forged in (no_passport(claims), no_passport(claims | {"kind": "service"}), "x"):
        refused = refusal(
            lambda f=forged: scenario.suite.call(
                "messages.page", arguments, {"auth_token": f}
            )  # type: ignore[misc]
        )
        assert refused == ("passport.refused", "{}")


def spoofed_header(scenario: Scenario) -> None:
    spoofed = {"user_id": "ivy", "subject": "ivy", "kind": "service", "actor": "ivy"}
    token = spoofed | {"auth_token": scenario.suite.passport("nat")}
    for method, arguments in (
        ("messages.page", {"channel": scenario.direct("south")}),
        (
            "messages.post",
            {"channel": scenario.direct("south"), "key": "k", "text": "x"},
        ),
    ):
        refused = refusal(
            lambda m=method, a=arguments: scenario.suite.call(m, a, token)
        )  # type: ignore[misc]
        assert refused == ("channel.missing", "{}")
    assert refusal(lambda: scenario.suite.call("messages.page", {}, spoofed)) == (
        "passport.missing",
        "{}",
    )


def send_broadcast(scenario: Scenario) -> None:
    refused = refusal(lambda: scenario.post("nat", scenario.broadcast, "hello all"))
    assert refused == ("broadcast.internal_only", "{}")
    assert scenario.as_("ivy").messages.page(channel=scenario.broadcast).messages == ()


def robot_send(scenario: Scenario) -> None:
    refused = refusal(lambda: scenario.post("robot", scenario.direct("south"), "hello"))
    assert refused == ("channel.missing", "{}")


def assert_suppressed(
    scenario: Scenario, person: str, change: Callable[[], object]
) -> None:
    """Require that a follower who loses access is not mailed what is posted then."""
    scenario.follow(person)
    change()
    posted = scenario.post("ivy", scenario.direct("north"), "for north alone")
    assert scenario.mailed() == []
    explained = scenario.operations.notifications.explain(
        message=posted.id, person=person
    )
    assert [who.told for who in explained.people] == [False]


def newcomer(scenario: Scenario, **now: object) -> Callable[[], object]:
    """Pia of north, and then her record as it is now."""
    pia: dict[str, object] = {
        "id": f"pia-{scenario.project}",
        "name": "Pia Blanc",
        "email": f"pia-{scenario.project}@north.example",
        "partner": "north",
        "roles": [PORTAL],
    }
    put = scenario.directory.projects.put_person
    put(**pia)  # type: ignore[arg-type]
    return lambda: put(**(pia | now))  # type: ignore[arg-type]


def removed_before_mail(scenario: Scenario) -> None:
    assert_suppressed(scenario, "nat", lambda: scenario.withdraw("north"))


def linguist_before_mail(scenario: Scenario) -> None:
    change = newcomer(scenario, roles=[PORTAL, LINGUIST])
    assert_suppressed(scenario, f"pia-{scenario.project}", change)


def moved_before_mail(scenario: Scenario) -> None:
    change = newcomer(scenario, partner="south")
    assert_suppressed(scenario, f"pia-{scenario.project}", change)


def list_followers(scenario: Scenario) -> None:
    scenario.follow("sam", "sol")
    nat = scenario.as_("nat")
    hidden = scenario.post("sam", scenario.direct("south"), "secret")
    scenario.suite.settle()
    for message in (hidden.id, "f" * 32):
        refused = refusal(lambda m=message: nat.notifications.explain(message=m))  # type: ignore[misc]
        assert refused == ("message.missing", "{}")
    refused = refusal(lambda: nat.projects.followers(project=scenario.project))
    assert refused == ("passport.wrong_kind", '{"kinds": ["service"]}')


def autocomplete(scenario: Scenario) -> None:
    nat = scenario.as_("nat").messages

    def offered(typed: str) -> set[str]:
        found = nat.mentionable(channel=scenario.direct("north"), typed=typed)
        return {person.id for person in found.people}

    # Nobody whose name or address begins so is of north, or of the studio.
    assert offered("sam") == offered("sol") == offered("sam@south.example") == set()
    assert {"ivy", "ian"} <= offered("i")
    assert {"sam", "sol", "wes"}.isdisjoint(offered(""))


def bulk_read(scenario: Scenario) -> None:
    scenario.post("ivy", scenario.broadcast, "hello")
    nat = scenario.as_("nat").messages
    guesses = [f"guess-{number}" for number in range(9_999)]
    refused = nat.unread(projects=[*guesses, scenario.project])
    assert [project.project for project in refused.projects] == [scenario.project]
    code, _ = refusal(
        lambda: nat.unread(projects=[*guesses, scenario.project, "one-more"])
    )
    assert code == "request.malformed"
    page = nat.page(channel=scenario.broadcast, limit=10_000)
    assert len(page.messages) == 1


def same_key(scenario: Scenario) -> None:
    channel = scenario.direct("north")
    first, second = (
        scenario.as_(person).messages.post(channel=channel, text=person, key="same")
        for person in ("nat", "nia")
    )
    assert (first.number, second.number) == (1, 2)


def unsubscribe_path(scenario: Scenario) -> str:
    """The path of the unsubscribe link in a mail to nat."""
    scenario.follow("nat")
    scenario.post("ivy", scenario.broadcast, "hello")
    (mail,) = scenario.mails()
    found = re.search(r"/-/unsubscribe/[^>\s]+", str(mail["List-Unsubscribe"]))
    assert found
    return found[0]


def fetch_page(scenario: Scenario, verb: str, path: str) -> tuple[int, bytes]:
    request = Request(scenario.suite.unsubscribe_url + path, method=verb)  # noqa: S310
    try:
        with urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def is_still_mailed(scenario: Scenario) -> bool:
    before = len(scenario.mails())
    scenario.post("ivy", scenario.broadcast, "again")
    return len(scenario.mails()) > before


def forged_unsubscribe(scenario: Scenario) -> None:
    path = unsubscribe_path(scenario)
    last = "A" if path[-1] != "A" else "B"
    forgeries = [
        path[:-8] + "AAAAAAA" + last,
        "/-/unsubscribe/nat",
        "/-/unsubscribe/x.y.z",
    ]
    responses = {fetch_page(scenario, "POST", forged) for forged in forgeries}
    assert {status for status, _ in responses} == {404}
    assert len(responses) == 1, "responses distinguish forgeries"
    assert is_still_mailed(scenario)


def unsubscribe_by_get(scenario: Scenario) -> None:
    path = unsubscribe_path(scenario)
    assert fetch_page(scenario, "GET", path)[0] == 200
    assert is_still_mailed(scenario)
    assert fetch_page(scenario, "POST", path)[0] == 200
    assert not is_still_mailed(scenario)


OPERATIONS: dict[str, Callable[[Scenario], None]] = {
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


def test_every_row_has_a_test() -> None:
    assert {case.facts["op"] for case in CASES} == set(OPERATIONS)
    assert len(CASES) == 16


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id} {case.name}")
def test_access_is_refused_as_the_row_expects(
    scenario: Scenario, case: HostileCase
) -> None:
    OPERATIONS[case.facts["op"]](scenario)


BODIES = hostile_cases("body")
# Rows that leave the choice; here a text is refused when it is longer than allowed.
EITHER = {"body-021", "body-034", "body-035"}
TEXT_REFUSED = {"text.empty", "text.too_long", "text.malformed", "request.malformed"}


def posted_or_refused(scenario: Scenario, text: str) -> tuple[int, str]:
    """The number of the message, or the code with which it is refused."""
    try:
        return scenario.post("nat", scenario.direct("north"), text).number, ""
    except Refused as error:
        return 0, error.code


def test_every_body_is_kept_as_it_was_sent_or_refused(scenario: Scenario) -> None:
    """Read and edited as it was posted, code point by code point (rule 9)."""
    kept: list[tuple[int, str]] = []
    for case in BODIES:
        number, code = posted_or_refused(scenario, case.value)
        if number:
            kept.append((number, case.value))
        assert code in {"", *TEXT_REFUSED}, case
        if case.id not in EITHER:
            assert bool(code) == case.expect.startswith("reject"), case
    page = scenario.as_("ivy").messages.page(
        channel=scenario.direct("north"), limit=100
    )
    assert [(message.number, message.text) for message in page.messages] == kept
