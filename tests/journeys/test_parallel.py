"""Many at once: one message however often it is posted, numbers without gaps."""

import eventlet

from tests.journeys.scenario import Scenario

REPLAYS = 50
WRITERS = 8
EACH = 6


def test_fifty_parallel_replays_give_one_message(scenario: Scenario) -> None:
    nat = scenario.as_("nat").messages

    def post(_: int) -> object:
        return nat.post(
            channel=scenario.direct("north"), text="Hi @Ivy Lane", key="once"
        )

    responses = list(eventlet.GreenPool(10).imap(post, range(REPLAYS)))
    assert all(response == responses[0] for response in responses)
    page = scenario.as_("ivy").messages.page(channel=scenario.direct("north"))
    assert [message.number for message in page.messages] == [1]


def test_eight_writers_leave_no_gap_and_keep_their_own_order(
    scenario: Scenario,
) -> None:
    channel = scenario.direct("north")

    def write(writer: int) -> list[int]:
        person = ("nat", "nia", "ivy", "ian")[writer % 4]
        messages = scenario.as_(person).messages
        return [
            messages.post(
                channel=channel, text=f"{writer}/{n}", key=f"{writer}/{n}"
            ).number
            for n in range(EACH)
        ]

    written = list(eventlet.GreenPool(WRITERS).imap(write, range(WRITERS)))
    assert all(numbers == sorted(numbers) for numbers in written)
    assert sorted(n for numbers in written for n in numbers) == list(
        range(1, WRITERS * EACH + 1)
    )
    scenario.suite.settle()
    page = scenario.as_("ivy").messages.page(channel=channel, limit=100)
    for writer, numbers in enumerate(written):
        texts = [m.text for m in page.messages if m.number in set(numbers)]
        assert texts == [f"{writer}/{n}" for n in range(EACH)]
