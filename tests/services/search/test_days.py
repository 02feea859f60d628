"""Rule 33: the days of a query are days of the asker's time zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clp_search.highlighting import VerifiedHit
from clp_search.query import parse
from tests.services.search.scenario import document

SECOND = timedelta(seconds=1)
# what                      query                zone    first moment    the moment after
DAYS = [
    ("ahead of UTC", "on:2026-11-29", "Asia/Tokyo", "11-28T15:00", "11-29T15:00"),
    ("half an hour", "on:2026-11-29", "Asia/Kolkata", "11-28T18:30", "11-29T18:30"),
    ("three quarters", "on:2026-11-29", "Asia/Kathmandu", "11-28T18:15", "11-29T18:15"),
    ("the first", "on:2026-11-29", "Pacific/Kiritimati", "11-28T10:00", "11-29T10:00"),
    ("the last", "on:2026-11-29", "Pacific/Pago_Pago", "11-29T11:00", "11-30T11:00"),
    ("of 25 hours", "on:2026-11-01", "America/New_York", "11-01T04:00", "11-02T05:00"),
    ("of 23 hours", "on:2026-03-08", "America/New_York", "03-08T05:00", "03-09T04:00"),
    ("no midnight", "on:2026-04-24", "Africa/Cairo", "04-23T22:00", "04-24T21:00"),
    ("a month", "on:2026-11", "Asia/Tokyo", "10-31T15:00", "11-30T15:00"),
    ("wide", "ｏｎ：２０２６／１１／２９", "Asia/Tokyo", "11-28T15:00", "11-29T15:00"),
    ("short", "on:2026-1-5", "Asia/Tokyo", "01-04T15:00", "01-05T15:00"),
]


def finds(query: str, zone: str, moment: datetime) -> bool:
    message = document(1, "mix", posted_at=moment)
    return VerifiedHit(message).matches_query(parse(query, ZoneInfo(zone)))


def at(moment: str) -> datetime:
    return datetime.fromisoformat(f"2026-{moment}+00:00")


@pytest.mark.parametrize(
    ("query", "zone", "first", "after"),
    [pytest.param(*row, id=what) for what, *row in DAYS],
)
def test_a_day_begins_and_ends_where_the_asker_is(
    query: str, zone: str, first: str, after: str
) -> None:
    assert [
        finds(query, zone, moment)
        for moment in (at(first) - SECOND, at(first), at(after) - SECOND, at(after))
    ] == [False, True, True, False]


def test_before_and_after_leave_the_whole_day_out() -> None:
    first, after = at("11-28T15:00"), at("11-29T15:00")
    moments = (first - SECOND, first, after - SECOND, after)

    def found(query: str) -> list[bool]:
        return [finds(query, "Asia/Tokyo", moment) for moment in moments]

    assert found("mix before:2026-11-29") == [True, False, False, False]
    assert found("mix after:2026-11-29") == [False, False, False, True]
