"""A process killed in the middle of posting leaves nothing half done (rules 10 and 11)."""

import subprocess
import sys

from sqlalchemy import select

from clp_messages.tables import MentionRow, MessageRow
from tests.services.messages.scenario import NORTH, Scenario

KILLED_AFTER = (3, 17)


def killed_after(scenario: Scenario, posts: int) -> int:
    """Kill a writer after so many confirmed posts; return how many it confirmed."""
    url = scenario.deps.database.engine.url.render_as_string(hide_password=False)
    command = ["-W", "ignore", "-m", "tests.services.messages.writer"]
    with subprocess.Popen(
        [sys.executable, *command, url, str(scenario.folder)],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        for _ in range(posts):
            assert writer.stdout.readline(), "the writer ended by itself"
        writer.kill()
        rest = writer.stdout.read().split("\n")
    # Its last words may be cut off in the middle of a number.
    return posts + len(rest) - 1


def test_a_killed_writer_loses_no_confirmed_post(scenario: Scenario) -> None:
    for posts in KILLED_AFTER:
        confirmed = killed_after(scenario, posts)
        kept = len(scenario.feed())
        assert kept >= confirmed
        # The post in progress was stored or not; later ones certainly were not.
        numbers = range(max(1, kept - 2), kept + 3)
        replayed = [
            scenario.post("nat", NORTH, f"line {n} for @Ivy Lane", key=f"k{n}").number
            for n in numbers
        ]
        assert replayed == list(numbers)
    with scenario.deps.database.reading() as session:
        rows = session.scalars(select(MessageRow).order_by(MessageRow.number)).all()
        mentions = session.scalars(select(MentionRow.message)).all()
    assert [row.idempotency_key for row in rows] == [f"k{row.number}" for row in rows]
    assert [row.author_number for row in rows] == [row.number for row in rows]
    assert sorted(mentions) == sorted(row.id for row in rows)
    assert [change.detail["number"] for change in scenario.feed()] == [
        str(row.number) for row in rows
    ]
