"""F11: one key from many clients, through kills: one message, one response."""

from collections.abc import Callable

import eventlet
import psycopg
import pytest

from clp_contracts.errors import CallFailed, Refused
from tests.faults.conftest import FaultBed
from tests.faults.load import PASSING, Load, create_world

pytestmark = pytest.mark.faults

AT_ONCE = 50
CLIENTS = 8
TURNS = 20


def test_one_idempotency_key_posts_one_message_through_kills(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(projects=1)
    create_world(group, load)
    channel, word = f"{load.project(0)}/direct/north", load.word(0, 0)
    clients = [group.client("ivy") for _ in range(CLIENTS)]

    def upload_until_acknowledged(number: int, text: str = word) -> str:
        for turn in range(TURNS):
            try:
                posted = clients[number % CLIENTS].messages.post(
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

    uploads = [
        eventlet.spawn(upload_until_acknowledged, number) for number in range(AT_ONCE)
    ]
    eventlet.sleep(0)
    group.kill_and_restart("messages.0")
    responses = {one.wait() for one in uploads}

    assert len(responses) == 1
    with pytest.raises(Refused) as refused:
        upload_until_acknowledged(0, text="something else")
    assert refused.value.code == "idempotency_key.reused"
    assert upload_until_acknowledged(1) in responses
    with psycopg.connect(group.database_url("messages")) as database:
        rows = database.execute(
            "select count(*) from messages where channel = %s", (channel,)
        ).fetchone()
    assert rows == (1,)
