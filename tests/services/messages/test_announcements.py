"""Announcements become broadcasts of the robot, once each (rule 37)."""

from datetime import datetime

import eventlet
import pytest
from jinja2 import UndefinedError

from clp_chassis.events.projections import DatabaseProjection
from clp_contracts.errors import Refused
from clp_contracts.events import PERSON_CHANGED, SCHEDULE_ANNOUNCED
from clp_contracts.feed import Change
from clp_contracts.projects import ANNOUNCEMENT_FACTS, Announcement
from clp_messages.robot_texts import RobotTexts
from clp_messages.tables import CURSORS
from clp_messages.use_cases import announcements
from tests.services.messages.scenario import BROADCAST, START, Scenario

# kind                | facts                                            | what the robot says
TEXTS = [
    ("launch_date_moved", {"launch_date": "2026-05-01"}, "The launch date has moved to 2026-05-01."),
    ("launch_date_moved", {"launch_date": "2026-05-01", "previous_date": "2026-04-01"}, "The launch date has moved from 2026-04-01 to 2026-05-01."),
    ("audio_available", {}, "Audio is available."),
    ("audio_available", {"language": "fr"}, "Audio is available."),
    ("bid_due", {"due": "2026-04-03"}, "A bid is due: 2026-04-03."),
    ("bid_due", {"due": "2026-04-03", "language": "fr"}, "A bid is due: 2026-04-03."),
    ("qc_status_changed", {"status": "passed"}, "The QC status of the final master is now: passed."),
    ("qc_status_changed", {"status": "failed", "language": "fr"}, "The QC status of the final master is now: failed."),
]  # fmt: skip


def announcement(kind: str, facts: dict[str, str], id: str = "a1") -> Announcement:
    return Announcement(id=id, project="p1", kind=kind, facts=facts)


@pytest.mark.parametrize(("kind", "facts", "text"), TEXTS)
def test_the_text_of_each_kind(kind: str, facts: dict[str, str], text: str) -> None:
    assert RobotTexts().render(announcement(kind, facts)) == text


@pytest.mark.parametrize("kind", ANNOUNCEMENT_FACTS)
def test_every_kind_renders_with_its_required_facts(kind: str) -> None:
    needed = {name: f"<{name}> & {{{{ 7*7 }}}}" for name in ANNOUNCEMENT_FACTS[kind]}
    text = RobotTexts().render(announcement(kind, needed))
    assert all(value in text for value in needed.values())
    if needed:
        with pytest.raises(UndefinedError):
            RobotTexts().render(announcement(kind, {}))


def projection(scenario: Scenario) -> DatabaseProjection:
    return DatabaseProjection(
        "messages.announcements",
        database=scenario.deps.database,
        cursors=CURSORS,
        clock=scenario.deps.clock,
        prepare=lambda changes: announcements.drafts_of(changes, deps=scenario.deps),
        write=announcements.write_announcements,
    )


def change(position: int, subject: str, type: str = SCHEDULE_ANNOUNCED) -> Change:
    at: datetime = START
    return Change(
        position=position, type=type, subject=subject, project="p1", at=at, detail={}
    )


def test_a_redelivered_announcement_is_posted_once(
    scenario: Scenario,
) -> None:
    for name, due in (("a1", "2027-04-03"), ("a2", "2027-04-04")):
        stored = announcement("bid_due", {"due": due}, name)
        scenario.projects.announcements[name] = stored
    reader = projection(scenario)
    changes = (change(1, "nat", PERSON_CHANGED), change(2, "a1"), change(3, "a2"))
    reader.apply(changes)
    reader.apply(changes)
    # The same announcement at another position is still the same announcement.
    reader.apply((change(4, "a1"),))
    assert scenario.texts("nat", BROADCAST) == [
        "A bid is due: 2027-04-03.",
        "A bid is due: 2027-04-04.",
    ]
    assert reader.cursor() == 4
    (first, _) = scenario.page("nat", BROADCAST).messages
    assert (first.author.id, first.author.side) == ("robot", "internal")
    assert [c.type for c in scenario.feed()] == ["clp.messages.message_posted.v1"] * 2


def test_parallel_processes_post_an_announcement_once(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = []
    for number in range(1, 6):
        name = f"a{number}"
        stored = announcement("audio_available", {"language": "fr"}, name)
        scenario.projects.announcements[name] = stored
        changes.append(change(number, name))
    facts = scenario.projects.announcement

    def while_others_ask(*, id: str) -> Announcement:
        eventlet.sleep(0)
        return facts(id=id)

    monkeypatch.setattr(scenario.projects, "announcement", while_others_ask)
    readers = eventlet.GreenPool()
    for _ in range(4):
        readers.spawn(projection(scenario).apply, tuple(changes))
    readers.waitall()
    assert scenario.numbers("nat", BROADCAST) == [1, 2, 3, 4, 5]
    assert projection(scenario).cursor() == 5


def test_the_cursor_does_not_move_without_the_post(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.projects.announcements["a1"] = announcement(
        "audio_available", {"language": "fr"}
    )
    reader = projection(scenario)

    def broken(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(CURSORS, "move", broken)
        with pytest.raises(OSError):  # noqa: PT011
            reader.apply((change(1, "a1"),))
    assert (reader.cursor(), scenario.numbers("ivy", BROADCAST)) == (0, [])
    reader.apply((change(1, "a1"),))
    assert (reader.cursor(), scenario.numbers("ivy", BROADCAST)) == (1, [1])


def test_an_unknown_announcement_becomes_a_dead_letter(scenario: Scenario) -> None:
    reader = projection(scenario)
    with pytest.raises(Refused, match=r"announcement\.missing"):
        reader.apply((change(1, "a1"),))
    reader.add_dead_letter(change(1, "a1"), "announcement.missing")
    assert reader.cursor() == 1


def test_no_caller_can_take_an_announcements_key(scenario: Scenario) -> None:
    with pytest.raises(Refused, match=r"idempotency_key\.malformed"):
        scenario.post("ivy", BROADCAST, "x", key=announcements.KEY.format(id="a1"))
