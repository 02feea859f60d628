"""What the schedule tells becomes the robot's broadcast, once (rule 37)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from clp_contracts.errors import Refused
from tests.journeys.scenario import Stage

# kind              | facts                                          | what everybody reads
TOLD = [
    ("launch_date_moved", {"launch_date": "2027-05-01"}, "The launch date has moved to 2027-05-01."),
    ("audio_available", {"language": "pt-BR"}, "Audio is available for pt-BR."),
    ("bid_due", {"due": "2027-04-03", "language": "fr"}, "A bid for fr is due: 2027-04-03."),
    ("qc_status_changed", {"status": "passed"}, "The QC status of the final master is now: passed."),
]  # fmt: skip


def said(stage: Stage, person: str = "nat") -> list[str]:
    """What a person reads in the broadcast channel once everything is idle."""
    stage.suite.settle()
    page = stage.as_(person).messages.page(channel=stage.broadcast)
    assert {m.author.id for m in page.messages} <= {"robot"}
    return [message.text for message in page.messages]


def announce(stage: Stage, kind: str, facts: dict[str, str], key: str) -> str:
    return stage.directory.projects.announce(
        project=stage.project, kind=kind, facts=facts, key=key
    ).id


def test_each_fact_is_broadcast_and_mailed_to_external_followers(stage: Stage) -> None:
    stage.follow("nat", "ivy")
    for number, (kind, facts, _) in enumerate(TOLD):
        announce(stage, kind, facts, f"k{number}")
    assert said(stage) == [text for _, _, text in TOLD]
    assert stage.mailed() != []
    assert {person for person, _ in stage.mailed()} == {"nat"}
    assert {trigger for _, trigger in stage.mailed()} == {"broadcast"}


def test_a_fact_told_many_times_at_once_is_broadcast_once(stage: Stage) -> None:
    kind, facts, text = TOLD[1]
    with ThreadPoolExecutor(8) as callers:
        ids = list(callers.map(lambda _: announce(stage, kind, facts, "k"), range(16)))
    assert len(set(ids)) == 1
    assert said(stage) == [text]
    announce(stage, kind, facts, "k")
    assert said(stage) == [text]


# what is wrong with it        | kind              | facts
MALFORMED = [
    ("an unknown kind", "party", {}),
    ("a fact too few", "audio_available", {}),
    ("no date", "launch_date_moved", {"launch_date": "soon"}),
    ("no earlier date", "launch_date_moved", {"launch_date": "2027-05-01", "previous_date": "once"}),
    ("two lines", "qc_status_changed", {"status": "passed\nBcc: x"}),
]  # fmt: skip


def test_a_malformed_fact_is_refused_and_nobody_hears_of_it(stage: Stage) -> None:
    for wrong, kind, facts in MALFORMED:
        with pytest.raises(Refused) as refused:
            announce(stage, kind, facts, wrong)
        assert refused.value.code == "announcement.malformed", wrong
    assert said(stage) == []


def test_only_services_announce(stage: Stage) -> None:
    for person in ("ivy", "nat"):
        with pytest.raises(Refused, match=r"passport\.wrong_kind"):
            stage.as_(person).projects.announce(
                project=stage.project, kind=TOLD[1][0], facts=TOLD[1][1], key="k"
            )
