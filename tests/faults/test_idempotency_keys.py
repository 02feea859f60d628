"""R11: one retry key from everywhere at once, through kills: one message, one answer."""

from collections.abc import Callable

import eventlet
import psycopg
import pytest

from clp_contracts.errors import CallFailed, Refused
from tests.faults.conftest import Field
from tests.faults.load import PASSING, Load, set_scene

pytestmark = pytest.mark.faults

AT_ONCE = 50
CLIENTS = 8
TURNS = 20


def test_one_retry_key_posts_one_message_however_often_and_through_kills(
    field: Field, new_load: Callable[..., Load]
) -> None:
    crew, load = field.crew, new_load(projects=1)
    set_scene(crew, load)
    channel, word = f"{load.project(0)}/direct/north", load.word(0, 0)
    callers = [crew.caller("ivy") for _ in range(CLIENTS)]

    def insist(number: int, text: str = word) -> str:
        for turn in range(TURNS):
            try:
                posted = callers[number % CLIENTS].messages.post(
                    channel=channel, text=text, key="one key"
                )
            except (CallFailed, Refused) as error:
                if getattr(error, "code", "service.failed") not in PASSING:
                    raise
                # Apart from each other, or fifty come back at once for ever.
                eventlet.sleep(0.05 * number * (turn + 1) / CLIENTS)
            else:
                return f"{posted.id} {posted.number} {posted.posted_at}"
        raise AssertionError("never answered")

    asking = [eventlet.spawn(insist, number) for number in range(AT_ONCE)]
    eventlet.sleep(0)
    crew.strike("messages.0")
    answers = {one.wait() for one in asking}

    assert len(answers) == 1
    with pytest.raises(Refused) as refused:
        insist(0, text="something else")
    assert refused.value.code == "retry_key.reused"
    assert insist(1) in answers
    with psycopg.connect(crew.database_url("messages")) as database:
        rows = database.execute(
            "select count(*) from messages where channel = %s", (channel,)
        ).fetchone()
    assert rows == (1,)
