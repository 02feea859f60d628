"""A process killed in the middle of posting leaves nothing half done (rules 10 and 11)."""

import subprocess
import sys

from sqlalchemy import select

from clp_messages.tables import MentionRow, MessageRow
from tests.services.messages.scenario import NORTH, Stage

KILLED_AFTER = (3, 17)


def killed_after(stage: Stage, answers: int) -> int:
    """The last post that a writer was answered before it was killed."""
    url = stage.parts.database.engine.url.render_as_string(hide_password=False)
    command = ["-W", "ignore", "-m", "tests.services.messages.writer"]
    with subprocess.Popen(
        [sys.executable, *command, url, str(stage.folder)],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        for _ in range(answers):
            assert writer.stdout.readline(), "the writer ended by itself"
        writer.kill()
        rest = writer.stdout.read().split("\n")
    # Its last words may be cut off in the middle of a number.
    return answers + len(rest) - 1


def test_a_killed_writer_posts_on_where_it_was(stage: Stage) -> None:
    for answers in KILLED_AFTER:
        answered = killed_after(stage, answers)
        kept = len(stage.feed())
        assert kept >= answered
        # The one in hand was posted or was not; the next ones certainly were not.
        replayed = [
            stage.post("nat", NORTH, f"line {n} for @Ivy Lane", key=f"k{n}").number
            for n in range(1, kept + 3)
        ]
        assert replayed == list(range(1, kept + 3))
    with stage.parts.database.reading() as session:
        rows = session.scalars(select(MessageRow).order_by(MessageRow.number)).all()
        mentions = session.scalars(select(MentionRow.message)).all()
    assert [row.author_number for row in rows] == [row.number for row in rows]
    assert sorted(mentions) == sorted(row.id for row in rows)
    assert [change.detail["number"] for change in stage.feed()] == [
        str(row.number) for row in rows
    ]
