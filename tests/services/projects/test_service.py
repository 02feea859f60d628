"""The service as it runs: every method of its contract, over a broker."""

from collections.abc import Callable, Iterator

import pytest
from nameko.containers import ServiceContainer

from clp_chassis.bootstrap import DEPENDENCIES, ProcessContext
from clp_chassis.clock import new_id, now
from clp_chassis.inprocess import reset
from clp_chassis.security.passports import Issuer, TrustedKey, Verifier, new_key
from clp_contracts import projects as contract
from clp_contracts.client import Clients, RpcClient
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.errors import Refused
from clp_contracts.methods import Method, PassportKind
from clp_projects.service import ProjectsService, build
from clp_projects.settings import Settings
from tests.services.projects.sample_world import World
from tests.support.waiting import until

PERSON, SERVICE = PassportKind.PERSON, PassportKind.SERVICE


def refused(code: str, call: Callable[[], object]) -> str:
    """Call with a valid passport; the refusal is one of the method's own."""
    with pytest.raises(Refused) as refusal:
        call()
    if refusal.value.code != code:
        raise refusal.value
    return code


# method             for      a call that is taken
CALLS: list[tuple[str, PassportKind, Callable[[Clients], object]]] = [
    ("put_person", SERVICE, lambda c: c.projects.put_person(id="x", name="X", email="x@y.example", internal=True)),
    ("put_people", SERVICE, lambda c: c.projects.put_people(people=[])),
    ("put_partner", SERVICE, lambda c: c.projects.put_partner(id="x", name="X")),
    ("put_project", SERVICE, lambda c: c.projects.put_project(id="x", title="X")),
    ("assign_partner", SERVICE, lambda c: c.projects.assign_partner(project="p1", partner="north")),
    ("withdraw_partner", SERVICE, lambda c: c.projects.withdraw_partner(project="p1", partner="south")),
    ("follow", PERSON, lambda c: c.projects.follow(project="p1")),
    ("unfollow", PERSON, lambda c: c.projects.unfollow(project="p1")),
    ("me", PERSON, lambda c: c.projects.me()),
    ("project", PERSON, lambda c: c.projects.project(project="p1")),
    ("find_projects", PERSON, lambda c: c.projects.find_projects()),
    ("my_projects", PERSON, lambda c: c.projects.my_projects()),
    ("announce", SERVICE, lambda c: c.projects.announce(project="p1", kind="qc_status_changed", key="k", facts={"status": "ok"})),
    ("facts", SERVICE, lambda c: c.projects.facts(project_ids=["p1"], people=["nat"])),
    ("followers", SERVICE, lambda c: c.projects.followers(project="p1")),
    ("people_by_handle", SERVICE, lambda c: c.projects.people_by_handle(lookup_keys=["nat moreau"])),
    ("suggest_people", SERVICE, lambda c: c.projects.suggest_people(typed="n", project="p1")),
    ("announcement", SERVICE, lambda c: refused("announcement.missing", lambda: c.projects.announcement(id="a1"))),
    ("records", SERVICE, lambda c: c.projects.records(people=["nat"])),
    ("changes", SERVICE, lambda c: c.projects.changes()),
    ("progress", SERVICE, lambda c: c.projects.progress()),
]  # fmt: skip


class Running:
    """The service in a container of its own, and callers of it."""

    def __init__(self, world: World) -> None:
        self.broker = new_id()
        url = f"inprocess://{self.broker}/"
        key = new_key()
        self.issuer = Issuer("gateway", key, now)
        trusted = {"gateway": TrustedKey(key.public_key(), frozenset(PassportKind))}
        context = ProcessContext(
            url, Verifier(trusted, now, audience="projects"), lambda _: ""
        )
        database_url = world.database.engine.url.render_as_string(hide_password=False)
        settings = Settings(broker_url=url, database_url=database_url)
        self.process = build(settings, context)
        (service,) = self.process.services
        self.container = ServiceContainer(service, dict(self.process.config))
        self.container.start()
        self.lines = RpcConnectionPool(url, 10)

    def as_(self, subject: str, kind: PassportKind) -> Clients:
        passport = self.issuer.source(subject, kind)
        return Clients(RpcClient(self.lines, passport))

    def stop(self) -> None:
        self.lines.close()
        self.container.stop()
        self.process.close()
        reset(self.broker)


@pytest.fixture
def running(world: World) -> Iterator[Running]:
    served = Running(world)
    yield served
    served.stop()


def test_every_method_of_the_contract_has_a_row_here() -> None:
    declared = {m.name for m in vars(contract).values() if isinstance(m, Method)}
    assert {name for name, *_ in CALLS} == declared


@pytest.mark.parametrize(("name", "kind", "call"), CALLS, ids=[r[0] for r in CALLS])
def test_a_method_accepts_its_kinds_of_passports_only(
    running: Running, name: str, kind: PassportKind, call: Callable[[Clients], object]
) -> None:
    for other in set(PassportKind) - {kind}:
        with pytest.raises(Refused, match=r"passport\.wrong_kind"):
            call(running.as_("nat", other))
    # A service that the method names; another one is refused (T25).
    subject = min(getattr(ProjectsService, name).clp_subjects, default="nat")
    assert call(running.as_(subject, kind)) is not None


def test_stored_values_are_returned(running: Running) -> None:
    directory = running.as_("directory", SERVICE).projects
    directory.put_project(id="p2", title="Day Train")
    directory.assign_partner(project="p2", partner="north", languages=["fr"])
    directory.put_person(
        id="new", name="New Person", email="new@north.example", partner="north"
    )
    with pytest.raises(Refused, match=r"project\.missing"):
        running.as_("new", PERSON).projects.follow(project="p2")
    roles = ["dub_portal_user"]
    directory.put_person(
        id="new",
        name="New Person",
        email="new@north.example",
        partner="north",
        roles=roles,
    )
    new = running.as_("new", PERSON).projects
    assert new.follow(project="p2").following
    assert [p.title for p in new.my_projects().projects] == ["Day Train"]
    notifications = running.as_("notifications", SERVICE).projects
    assert [p.id for p in notifications.followers(project="p2").people] == ["new"]
    assert not new.unfollow(project="p2").following


def test_changes_get_positions_and_are_published(running: Running) -> None:
    operations = running.as_("operations", SERVICE).projects
    until(lambda: operations.progress().pending == 0)
    messages = running.as_("messages", SERVICE).projects
    positions = [change.position for change in messages.changes().changes]
    assert positions == list(range(1, operations.progress().head + 1))
    running.as_("nat", PERSON).projects.follow(project="p1")
    until(lambda: operations.progress().head == len(positions) + 1)
    until(lambda: operations.progress().pending == 0)


def test_t23_people_that_others_ask_about_are_queued_by_partner(
    running: Running,
) -> None:
    groups = running.process.config[DEPENDENCIES].groups
    running.as_("messages", SERVICE).projects.facts(people=["nat"])
    assert groups.of("nat") == "partner north"
    directory = running.as_("directory", SERVICE).projects
    moved = {"name": "Nat", "email": "nat@south.example", "partner": "south"}
    directory.put_person(id="nat", **moved, roles=[])
    assert groups.of("nat") == "person nat", "may have moved"
    running.as_("messages", SERVICE).projects.facts(people=["nat"])
    assert groups.of("nat") == "partner south"
    directory.put_people(people=[contract.PutPerson(id="nat", **moved, roles=())])
    assert groups.of("nat") == "person nat", "may have moved"
