"""Schedule facts become announcements once (rule 37)."""

from typing import Any

import pytest

from clp_contracts.errors import Refused
from clp_contracts.projects import ANNOUNCEMENT_FACTS, Announce, GetAnnouncement
from clp_projects.use_cases import announcements
from tests.services.projects.sample_world import World

COMPLETE = {
    "launch_date_moved": {"launch_date": "2026-05-01"},
    "audio_available": {},
    "bid_due": {"due": "2026-04-01T17:00:00+02:00"},
    "qc_status_changed": {"status": "passed"},
}

MALFORMED = [
    # kind,             facts
    ("party", {}),
    ("", {}),
    *((kind, {}) for kind, needed in ANNOUNCEMENT_FACTS.items() if needed),
    ("launch_date_moved", {"launch_date": "soon"}),
    ("launch_date_moved", {"launch_date": "2026-02-30"}),
    ("launch_date_moved", {"launch_date": "2026-05-01T10:00"}),
    ("launch_date_moved", {"launch_date": "20260501"}),
    ("launch_date_moved", {"launch_date": "2026-W18-5"}),
    ("launch_date_moved", {"launch_date": "2026-05-01", "previous_date": "once"}),
    ("launch_date_moved", {"language": "fr"}),
    ("audio_available", {"language": "french language"}),
    ("bid_due", {"due": "tomorrow"}),
    ("bid_due", {"due": "20260401T170000Z"}),
    ("bid_due", {"due": "2026-04-01T25:00"}),
    ("qc_status_changed", {"status": ""}),
    ("qc_status_changed", {"status": "passed\nBcc: x"}),
    ("qc_status_changed", {"status": "x" * 201}),
    ("qc_status_changed", {"status": "\u3164\u200b"}),
    ("qc_status_changed", {"status": "passed\u2028by North"}),
    ("qc_status_changed", {"status": "\u202edessap"}),
    ("qc_status_changed", {"status": "\ud800"}),
    ("qc_status_changed", {"status": ["passed"]}),
    ("qc_status_changed", {"status": "passed", "language": "x" * 90}),
    ("qc_status_changed", {"status": "passed", "a-b": "x"}),
    ("qc_status_changed", {"status": "passed", "__class__": "x"}),
    ("qc_status_changed", {"status": 3}),
    ("qc_status_changed", {"status": "passed", "Reel": "3"}),
    ("qc_status_changed", {"status": "passed", "reel": "3\0"}),
    ("qc_status_changed", {"status": "passed", "due": "never"}),
    ("qc_status_changed", {"status": "passed"} | {f"f{n}": "x" for n in range(20)}),
]


def announce(world: World, kind: str = "bid_due", key: str = "k1", **more: Any) -> str:
    facts = more.pop("facts", COMPLETE.get(kind))
    request = Announce(
        project=more.get("project", "p1"), kind=kind, key=key, facts=facts
    )
    return announcements.announce(request, deps=world.deps).id


def test_every_kind_has_a_row_here() -> None:
    assert set(COMPLETE) == set(ANNOUNCEMENT_FACTS)


@pytest.mark.parametrize("kind", COMPLETE)
def test_an_announcement_is_stored_and_read_by_its_id(world: World, kind: str) -> None:
    before = world.head()
    kept_as = announce(world, kind)
    assert world.news(before) == [("schedule_announced", kept_as, "p1")]
    assert world.feed(before)[0].detail == {}
    kept = announcements.announcement(GetAnnouncement(id=kept_as), deps=world.deps)
    assert (kept.id, kept.project) == (kept_as, "p1")
    assert (kept.kind, kept.facts) == (kind, COMPLETE[kind])


def test_additional_facts_are_stored(world: World) -> None:
    facts = {"due": "2026-04-01", "language": "fr", "round": "second"}
    kept_as = announce(world, facts=facts)
    kept = announcements.announcement(GetAnnouncement(id=kept_as), deps=world.deps)
    assert kept.facts == facts


@pytest.mark.parametrize(("kind", "facts"), MALFORMED)
def test_a_missing_fact_is_refused(
    world: World, kind: str, facts: dict[str, Any]
) -> None:
    before = world.head()
    with pytest.raises(Refused, match=r"announcement\.malformed"):
        announce(world, kind, facts=facts)
    assert world.head() == before


@pytest.mark.parametrize("key", ["", " ", "k" * 129, "k\n1", "k\0", "k\ud800"])
def test_a_key_is_one_short_line(world: World, key: str) -> None:
    with pytest.raises(Refused, match=r"idempotency_key\.malformed"):
        announce(world, key=key)


@pytest.mark.parametrize("project", ["p9", "no/id", "p1\0"])
def test_nothing_is_announced_to_a_missing_project(world: World, project: str) -> None:
    with pytest.raises(Refused, match=r"project\.missing"):
        announce(world, project=project)


def test_a_repeated_announcement_is_the_same_one(world: World) -> None:
    first = announce(world, facts={"due": "2026-04-01", "language": "fr"})
    before = world.head()
    again = announce(world, facts={"language": "fr", "due": "2026-04-01"})
    assert again == first
    assert world.head() == before


@pytest.mark.parametrize(
    "other",
    [
        {"facts": {"due": "2026-04-02"}},
        {"facts": {"due": "2026-04-01T17:00:00+02:00", "language": "fr"}},
        {"kind": "qc_status_changed"},
    ],
)
def test_a_key_is_not_used_for_another_announcement(
    world: World, other: dict[str, Any]
) -> None:
    announce(world)
    before = world.head()
    with pytest.raises(Refused, match=r"announcement\.reused"):
        announce(world, **other)
    assert world.head() == before


def test_projects_do_not_share_keys(world: World) -> None:
    world.project("p2", "Day Train")
    first = announce(world)
    second = announce(world, project="p2", kind="audio_available")
    assert first != second
    assert announce(world) == first
    assert announce(world, project="p2", kind="audio_available") == second


@pytest.mark.parametrize("id", ["nothing", "no/id", "", "x\0"])
def test_a_missing_announcement_is_refused(world: World, id: str) -> None:
    with pytest.raises(Refused, match=r"announcement\.missing"):
        announcements.announcement(GetAnnouncement(id=id), deps=world.deps)
