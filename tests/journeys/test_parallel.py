"""Many at once: one message however often it is posted, numbers without gaps."""

from concurrent.futures import ThreadPoolExecutor

from tests.journeys.scenario import Stage

REPLAYS = 50
WRITERS = 8
EACH = 6


def test_fifty_parallel_replays_give_one_message(stage: Stage) -> None:
    nat = stage.as_("nat").messages

    def post(_: int) -> object:
        return nat.post(channel=stage.direct("north"), text="Hi @Ivy Lane", key="once")

    with ThreadPoolExecutor(max_workers=10) as pool:
        answers = list(pool.map(post, range(REPLAYS)))
    assert all(answer == answers[0] for answer in answers)
    page = stage.as_("ivy").messages.page(channel=stage.direct("north"))
    assert [message.number for message in page.messages] == [1]


def test_eight_writers_leave_no_gap_and_keep_their_own_order(stage: Stage) -> None:
    channel = stage.direct("north")

    def write(writer: int) -> list[int]:
        person = ("nat", "nia", "ivy", "ian")[writer % 4]
        messages = stage.as_(person).messages
        return [
            messages.post(
                channel=channel, text=f"{writer}/{n}", key=f"{writer}/{n}"
            ).number
            for n in range(EACH)
        ]

    with ThreadPoolExecutor(max_workers=WRITERS) as pool:
        told = list(pool.map(write, range(WRITERS)))
    assert all(numbers == sorted(numbers) for numbers in told)
    assert sorted(n for numbers in told for n in numbers) == list(
        range(1, WRITERS * EACH + 1)
    )
    stage.suite.settle()
    page = stage.as_("ivy").messages.page(channel=channel, limit=100)
    for writer, numbers in enumerate(told):
        texts = [m.text for m in page.messages if m.number in set(numbers)]
        assert texts == [f"{writer}/{n}" for n in range(EACH)]
