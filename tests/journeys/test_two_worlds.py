"""Nothing that one partner observes depends on another partner (rule 6).

Two embedded suites live the same story. In one of them there is also South, with its
people, its direct channel and its messages. Whatever North's people see, over
every call, download and mail, must be the same in both, byte for byte.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from clp_suite.suite import Suite
from tests.journeys.portal_pages import addresses
from tests.journeys.worlds import (
    BROADCASTS,
    FILES,
    QUERIES,
    TEXTS,
    World,
    response_view,
    two_worlds,
)

NORTH = ("nat", "nia")
RUNS = int(os.environ.get("TESTS_TWO_WORLDS_RUNS", "20"))
STEPS = 6

Call = Callable[[Suite], Any]


class TwoWorlds(RuleBasedStateMachine):
    """North's people act and look; South and the studio post in the other world."""

    alone: ClassVar[World]
    neighboured: ClassVar[World]
    numbers: ClassVar[Iterator[int]] = itertools.count(1)

    posted = Bundle("posted")
    own = Bundle("own")
    files = Bundle("files")
    beyond = Bundle("beyond")
    broadcasts = Bundle("broadcasts")

    def __init__(self) -> None:
        super().__init__()
        self.number = next(self.numbers)
        self.project = f"w{self.number}"
        self.keys = itertools.count(1)
        self.broadcast = f"{self.project}/broadcast"
        self.north = f"{self.project}/direct/north"
        self.south = f"{self.project}/direct/south"

    # ---- both worlds, the neighboured one, and the comparison

    def both(self, call: Call) -> tuple[Any, ...]:
        """Do something in both worlds that is not North's to see."""
        return tuple(call(world.suite) for world in (self.alone, self.neighboured))

    def settle(self) -> None:
        """Wait until all work is done, before a change that could still stop it."""
        for world in (self.alone, self.neighboured):
            world.suite.settle()

    def in_neighboured(self, call: Call) -> None:
        """Do something in the one world that has a neighbour."""
        call(self.neighboured.suite)

    def same(self, call: Call) -> None:
        """Require the same result for one of North's people in both worlds."""
        assert self.alone.outcome_of(call) == self.neighboured.outcome_of(call)

    def same_of(self, ids: tuple[str, str], call: Callable[[Suite, str], Any]) -> None:
        """The same, about a thing that has another id in each world."""
        outcomes = [
            world.outcome_of(lambda suite, i=identity: call(suite, i))
            for world, identity in zip((self.alone, self.neighboured), ids, strict=True)
        ]
        assert outcomes[0] == outcomes[1]

    def made(self) -> Any:
        """The ids of what the last call made in both worlds; nothing if refused."""
        result = (self.alone.result, self.neighboured.result)
        if None in result:
            return multiple()
        return tuple(made if isinstance(made, str) else made.id for made in result)

    @initialize()
    def begin(self) -> None:
        self.alone.begin()
        self.neighboured.begin()

        def put(suite: Suite) -> None:
            directory = suite.client(service="directory").projects
            directory.put_project(id=self.project, title="Night Train")
            directory.assign_partner(
                project=self.project, partner="north", languages=["fr"]
            )

        self.both(put)
        self.in_neighboured(self._assign_south)
        for person in ("nat", "ivy"):
            self.both(
                lambda s, p=person: s.client(p).projects.follow(project=self.project)
            )

    def _assign_south(self, suite: Suite) -> None:
        suite.client(service="directory").projects.assign_partner(
            project=self.project, partner="south", languages=["es"]
        )

    def _post(self, person: str, channel: str, text: str) -> Call:
        key = f"{self.project}-{next(self.keys)}"
        return lambda suite: suite.client(person).messages.post(
            channel=channel, text=text, key=key
        )

    # ---- in the neighboured world

    @rule(target=beyond, person=st.sampled_from(["sam", "sol", "ivy"]), text=TEXTS)
    def the_neighbour_posts(self, person: str, text: str) -> Any:
        if not text:
            return multiple()
        post = self._post(person, self.south, f"{text} wombat")
        return person, post(self.neighboured.suite).id

    @rule(message=consumes(beyond), text=TEXTS, deletes=st.booleans())
    def the_neighbour_edits_or_deletes(
        self, message: tuple[str, str], text: str, *, deletes: bool
    ) -> None:
        person, identity = message

        def change(suite: Suite) -> None:
            theirs = suite.client(person).messages
            if deletes:
                theirs.delete(message=identity)
            else:
                theirs.edit(message=identity, text=f"{text} wombat")

        self.in_neighboured(change)

    @rule(message=beyond, person=st.sampled_from(NORTH))
    def north_guesses_an_id(self, message: tuple[str, str], person: str) -> None:
        self.same(lambda s: s.client(person).messages.delete(message=message[1]))

    @rule(person=st.sampled_from(["sam", "sol"]), follows=st.booleans())
    def a_neighbour_follows(self, person: str, *, follows: bool) -> None:
        def change(suite: Suite) -> None:
            mine = suite.client(person).projects
            (mine.follow if follows else mine.unfollow)(project=self.project)

        self.in_neighboured(self._assign_south)
        self.in_neighboured(change)

    @rule()
    def the_neighbour_is_withdrawn_and_comes_back(self) -> None:
        def withdraw(suite: Suite) -> None:
            suite.client(service="directory").projects.withdraw_partner(
                project=self.project, partner="south"
            )

        self.in_neighboured(withdraw)
        self.in_neighboured(self._assign_south)

    @rule()
    def a_neighbour_attaches_a_file(self) -> None:
        def attach(suite: Suite) -> None:
            name = suite.files("sam").upload(
                channel=self.south, name="cue.csv", body=b"wombat,1\n"
            )
            suite.client("sam").messages.post(
                channel=self.south,
                key=f"{self.project}-{next(self.keys)}",
                attachments=[name],
            )

        self.in_neighboured(attach)

    # ---- the same in both worlds

    @rule(target=broadcasts, text=BROADCASTS)
    def the_studio_broadcasts(self, text: str) -> Any:
        return tuple(p.id for p in self.both(self._post("ivy", self.broadcast, text)))

    @rule(target=posted, text=TEXTS)
    def the_studio_writes_to_north(self, text: str) -> Any:
        if not text:
            return multiple()
        return tuple(p.id for p in self.both(self._post("ivy", self.north, text)))

    @rule(assigned=st.booleans())
    def north_is_withdrawn_or_assigned(self, *, assigned: bool) -> None:
        self.settle()

        def change(suite: Suite) -> None:
            directory = suite.client(service="directory").projects
            if assigned:
                directory.assign_partner(
                    project=self.project, partner="north", languages=["fr"]
                )
            else:
                directory.withdraw_partner(project=self.project, partner="north")

        self.both(change)

    @rule(message=consumes(posted))
    def the_studio_deletes(self, message: tuple[str, str]) -> None:
        self.settle()
        for world, identity in zip(
            (self.alone, self.neighboured), message, strict=True
        ):
            world.suite.client("ivy").messages.delete(message=identity)

    # ---- what North's people do and see

    @rule(
        target=own,
        person=st.sampled_from(NORTH),
        text=TEXTS,
        where=st.sampled_from("nsb"),
    )
    def north_posts(self, person: str, text: str, where: str) -> Any:
        channel = {"n": self.north, "s": self.south, "b": self.broadcast}[where]
        self.same(self._post(person, channel, text))
        return self.made()

    @rule(
        message=own,
        person=st.sampled_from(NORTH),
        text=TEXTS,
        revision=st.sampled_from([None, 1, 2]),
    )
    def north_edits(
        self, message: tuple[str, str], person: str, text: str, revision: int | None
    ) -> None:
        self.settle()
        self.same_of(
            message,
            lambda s, i: s.client(person).messages.edit(
                message=i, text=text, revision=revision
            ),
        )

    @rule(message=consumes(own), person=st.sampled_from(NORTH))
    def north_deletes(self, message: tuple[str, str], person: str) -> None:
        self.settle()
        self.same_of(message, lambda s, i: s.client(person).messages.delete(message=i))

    @rule(target=files, person=st.sampled_from(NORTH), name=FILES)
    def north_attaches(self, person: str, name: str) -> Any:
        self.same(
            lambda s: s.files(person).upload(
                channel=self.north, name=name, body=b"quokka,1\n"
            )
        )
        if (made := self.made()) == multiple():
            return made
        key = f"{self.project}-{next(self.keys)}"
        self.same_of(
            made,
            lambda s, i: s.client(person).messages.post(
                channel=self.north, key=key, attachments=[i]
            ),
        )
        return made

    @rule(file=files, person=st.sampled_from(NORTH))
    def north_downloads(self, file: tuple[str, str], person: str) -> None:
        self.same_of(file, lambda s, i: response_view(s.files(person).download(i)))

    @rule(
        person=st.sampled_from(NORTH),
        side=st.sampled_from(["before", "after", "around"]),
        number=st.integers(0, 9),
        limit=st.integers(1, 3),
    )
    def north_turns_pages(
        self, person: str, side: str, number: int, limit: int
    ) -> None:
        for channel in (self.broadcast, self.north, self.south):
            self.same(
                lambda s, c=channel: s.client(person).messages.page(
                    channel=c, limit=limit, **{side: number}
                )
            )

    @rule(
        person=st.sampled_from(NORTH),
        page=st.sampled_from(
            [{}, {"latest": True}, {"before": 3}, {"after": 1}, {"around": 2}]
        ),
        limit=st.integers(1, 4),
    )
    def north_opens_conversations(
        self, person: str, page: dict[str, Any], limit: int
    ) -> None:
        for place in (
            {"project": self.project},
            {"channel": self.broadcast},
            {"channel": self.north},
            {"channel": self.south},
        ):
            self.same(
                lambda s, p=place: s.client(person).messages.conversation(
                    **p, **page, limit=limit
                )
            )

    @rule(message=st.one_of(own, posted, broadcasts))
    def the_portal_updates_norths_screens(self, message: tuple[str, str]) -> None:
        def screens(suite: Suite, identity: str) -> Any:
            portal = suite.client(service="portal").messages
            seen = portal.screen_messages(
                people=("sam", *NORTH, "ivy"), message_ids=(identity,)
            )
            ids = {m.message for s in seen.screens[1:3] for m in s.messages}
            shown = tuple(m for m in seen.messages if m.id in ids)
            return replace(seen, screens=seen.screens[1:3], messages=shown)

        self.same_of(message, screens)

    @rule(person=st.sampled_from(NORTH), text=TEXTS, message=posted)
    def north_edits_what_is_not_theirs(
        self, person: str, text: str, message: tuple[str, str]
    ) -> None:
        self.same_of(
            message, lambda s, i: s.client(person).messages.edit(message=i, text=text)
        )

    @rule(person=st.sampled_from(NORTH), number=st.integers(0, 9))
    def north_reads_up_to(self, person: str, number: int) -> None:
        self.settle()
        self.same(
            lambda s: s.client(person).messages.mark_read(
                channel=self.north, number=number
            )
        )

    @rule(person=st.sampled_from(NORTH), follows=st.booleans())
    def north_follows(self, person: str, *, follows: bool) -> None:
        self.settle()

        def change(suite: Suite) -> Any:
            mine = suite.client(person).projects
            return (mine.follow if follows else mine.unfollow)(project=self.project)

        self.same(change)

    @rule(
        person=st.sampled_from(NORTH),
        typed=st.sampled_from(["s", "so", "n", "", "sam"]),
    )
    def north_autocompletes(self, person: str, typed: str) -> None:
        for channel in (self.north, self.broadcast, self.south):
            self.same(
                lambda s, c=channel: s.client(person).messages.mentionable(
                    channel=c, typed=typed
                )
            )

    @rule(person=st.sampled_from(NORTH), query=QUERIES)
    def north_searches(self, person: str, query: str) -> None:
        self.settle()
        self.same(
            lambda s: s.client(person).search.find(query=query, project=self.project)
        )
        for channel in (self.north, self.south):
            self.same(
                lambda s, c=channel: s.client(person).search.find(
                    query=query, channel=c
                )
            )

    # ---- the same in the portal, while the studio looks as well

    @rule(page=st.sampled_from(addresses("{project}")))
    def the_studio_opens_a_page(self, page: str) -> None:
        for world in (self.alone, self.neighboured):
            world.portal.visit("ivy", page.format(project=self.project))

    @rule(person=st.sampled_from(NORTH), page=st.sampled_from(addresses("{project}")))
    def north_opens_a_page(self, person: str, page: str) -> None:
        self.settle()
        self.same_page(person, page.format(project=self.project))

    @rule(
        person=st.sampled_from(NORTH),
        text=TEXTS,
        partner=st.sampled_from(["north", "south", "nobody"]),
        action=st.sampled_from(["post", "preview"]),
    )
    def north_sends_a_form(
        self, person: str, text: str, partner: str, action: str
    ) -> None:
        self.settle()
        key = f"{self.project}-{next(self.keys)}"
        address = f"/{self.project}/direct/{partner}"
        seen = [
            world.portal.submit(person, address, text=text, key=key, action=action)
            for world in (self.alone, self.neighboured)
        ]
        assert seen[0] == seen[1]

    def same_page(self, person: str, address: str) -> None:
        """Require the same bytes and headers of an address in both worlds."""
        one, other = (
            world.portal.page(person, address)
            for world in (self.alone, self.neighboured)
        )
        assert one == other, address

    def teardown(self) -> None:
        """Look at everything that North's people can see of the project."""
        self.settle()
        for at, (first, second) in enumerate(
            zip(*map(self._looks, NORTH), strict=True)
        ):
            # Each look as one of the two, so that over the runs both see everything.
            self.same(first if (at + self.number) % 2 else second)
        # A third of the addresses each time.
        for at, address in enumerate(addresses(self.project)[self.number % 3 :: 3]):
            self.same_page(NORTH[(at + self.number) % 2], address)
        result = [world.mails_to(NORTH) for world in (self.alone, self.neighboured)]
        assert result[0] == result[1]

    def _looks(self, person: str) -> list[Call]:
        project = self.project
        channels = (self.broadcast, self.north, self.south)
        return [
            lambda s: s.client(person).projects.my_projects(),
            lambda s: s.client(person).messages.channels(project=project),
            lambda s: s.client(person).messages.unread(projects=[project]),
            lambda s: s.client(person).messages.conversation(project=project),
            lambda s: s.client(person).notifications.mail_settings(),
            lambda s: s.client(person).search.find(query="wombat", project=project),
            *(
                lambda s, c=channel: s.client(person).messages.page(channel=c)
                for channel in channels
            ),
            *(
                lambda s, c=channel: s.client(person).messages.conversation(channel=c)
                for channel in channels
            ),
            *(
                lambda s, c=channel: s.files(person).upload(
                    channel=c, name="cue.csv", body=b"a,b\n"
                )
                for channel in channels
            ),
        ]


@pytest.mark.property
@pytest.mark.timeout(36_000)
def test_two_worlds_look_the_same_to_one_partner(tmp_path: Path) -> None:
    with two_worlds(tmp_path) as (TwoWorlds.alone, TwoWorlds.neighboured):
        night = os.environ.get("HYPOTHESIS_PROFILE") == "night"
        runs = settings.default.max_examples if night else RUNS
        run_state_machine_as_test(
            TwoWorlds,
            settings=settings(
                max_examples=runs, stateful_step_count=STEPS, deadline=None
            ),
        )
