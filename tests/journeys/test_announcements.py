"""Announcements become broadcasts of the robot, once (rule 37)."""

import eventlet
import pytest

from clp_contracts.errors import Refused
from tests.journeys.scenario import Scenario

# kind              | facts                                          | what everybody reads
ANNOUNCED = [
    ("launch_date_moved", {"launch_date": "2027-05-01"}, "The launch date has moved to 2027-05-01."),
    ("audio_available", {"language": "pt-BR"}, "Audio is available."),
    ("bid_due", {"due": "2027-04-03", "language": "fr"}, "A bid is due: 2027-04-03."),
    ("qc_status_changed", {"status": "passed"}, "The QC status of the final master is now: passed."),
]  # fmt: skip


def broadcast_texts(scenario: Scenario, person: str = "nat") -> list[str]:
    """What a person reads in the broadcast channel once everything is idle."""
    scenario.suite.settle()
    page = scenario.as_(person).messages.page(channel=scenario.broadcast)
    assert {m.author.id for m in page.messages} <= {"robot"}
    return [message.text for message in page.messages]


def announce(scenario: Scenario, kind: str, facts: dict[str, str], key: str) -> str:
    return scenario.directory.projects.announce(
        project=scenario.project, kind=kind, facts=facts, key=key
    ).id


def test_each_fact_is_broadcast_and_mailed_to_external_followers(
    scenario: Scenario,
) -> None:
    scenario.follow("nat", "ivy")
    for number, (kind, facts, _) in enumerate(ANNOUNCED):
        announce(scenario, kind, facts, f"k{number}")
    assert broadcast_texts(scenario) == [text for _, _, text in ANNOUNCED]
    assert scenario.mailed() != []
    assert {person for person, _ in scenario.mailed()} == {"nat"}
    assert {trigger for _, trigger in scenario.mailed()} == {"broadcast"}


def test_a_fact_announced_in_parallel_is_broadcast_once(scenario: Scenario) -> None:
    kind, facts, text = ANNOUNCED[1]
    clients = eventlet.GreenPool(8)
    ids = list(clients.imap(lambda _: announce(scenario, kind, facts, "k"), range(16)))
    assert len(set(ids)) == 1
    assert broadcast_texts(scenario) == [text]
    announce(scenario, kind, facts, "k")
    assert broadcast_texts(scenario) == [text]


# what is wrong with it        | kind              | facts
MALFORMED = [
    ("an unknown kind", "party", {}),
    ("a fact too few", "bid_due", {}),
    ("no date", "launch_date_moved", {"launch_date": "soon"}),
    ("no earlier date", "launch_date_moved", {"launch_date": "2027-05-01", "previous_date": "once"}),
    ("two lines", "qc_status_changed", {"status": "passed\nBcc: x"}),
]  # fmt: skip


def test_a_malformed_fact_is_refused_and_not_broadcast(scenario: Scenario) -> None:
    for wrong, kind, facts in MALFORMED:
        with pytest.raises(Refused) as refused:
            announce(scenario, kind, facts, wrong)
        assert refused.value.code == "announcement.malformed", wrong
    assert broadcast_texts(scenario) == []


def test_only_services_announce(scenario: Scenario) -> None:
    for person in ("ivy", "nat"):
        with pytest.raises(Refused, match=r"passport\.wrong_kind"):
            scenario.as_(person).projects.announce(
                project=scenario.project,
                kind=ANNOUNCED[1][0],
                facts=ANNOUNCED[1][1],
                key="k",
            )
