"""The RPC methods of `projects`."""

from collections.abc import Callable
from typing import Any, Final

from clp_chassis.bootstrap import (
    DependenciesProvider,
    Process,
    ProcessContext,
    container_config,
    dependencies_of,
    partner_group_of,
)
from clp_chassis.concurrency.periodic import PeriodicTask
from clp_chassis.events.outbox_relay import OutboxRelay, RelayConfig
from clp_chassis.observability import Probes
from clp_chassis.persistence.database import Database
from clp_chassis.rpc import CallContext, rpc_method
from clp_chassis.security.passports import Passport
from clp_contracts import feed
from clp_contracts import projects as contract
from clp_contracts.serialization import Empty
from clp_projects.dependencies import Dependencies
from clp_projects.read_leases import delete_expired_leases
from clp_projects.settings import Settings
from clp_projects.tables import OUTBOX
from clp_projects.use_cases import (
    announcements,
    assignments,
    autocomplete,
    directory,
    followers,
    people,
    readable_projects,
)

PACKAGE: Final = "clp_projects"
# The services of other teams that may write people and projects, and our operators.
DIRECTORY: Final = ("directory",)
OPERATIONS: Final = ("operations",)
CLEANUP_INTERVAL_S: Final = 300.0


def _relay_config(container: Any) -> RelayConfig:
    deps: Dependencies = dependencies_of(container)
    return RelayConfig(contract.SERVICE, deps.database, OUTBOX, deps.clock)


def _cleanup(container: Any) -> Callable[[], object]:
    deps: Dependencies = dependencies_of(container)
    return lambda: delete_expired_leases(deps=deps)


class ProjectsService:
    """People, partners, projects, followers and schedule facts."""

    name = contract.SERVICE
    deps = DependenciesProvider()
    call_info = CallContext(partner_group_of)
    relay = OutboxRelay(_relay_config)
    cleanup = PeriodicTask(_cleanup, CLEANUP_INTERVAL_S)

    @rpc_method(contract.PUT_PERSON, subjects=DIRECTORY)
    def put_person(self, request: contract.PutPerson, _: Passport) -> contract.Stored:
        self.deps.groups.forget(request.id)
        return people.put_person(request, deps=self.deps)

    @rpc_method(contract.PUT_PEOPLE, subjects=DIRECTORY)
    def put_people(
        self, request: contract.PutPeople, _: Passport
    ) -> contract.PeopleStored:
        for person in request.people:
            self.deps.groups.forget(person.id)
        return people.put_people(request, deps=self.deps)

    @rpc_method(contract.PUT_PARTNER, subjects=DIRECTORY)
    def put_partner(self, request: contract.PutPartner, _: Passport) -> contract.Stored:
        return people.put_partner(request, deps=self.deps)

    @rpc_method(contract.PUT_PROJECT, subjects=DIRECTORY)
    def put_project(self, request: contract.PutProject, _: Passport) -> contract.Stored:
        return assignments.put_project(request, deps=self.deps)

    @rpc_method(contract.ASSIGN, subjects=DIRECTORY)
    def assign_partner(
        self, request: contract.AssignPartner, _: Passport
    ) -> contract.Stored:
        return assignments.assign_partner(request, deps=self.deps)

    @rpc_method(contract.WITHDRAW, subjects=DIRECTORY)
    def withdraw_partner(
        self, request: contract.WithdrawPartner, _: Passport
    ) -> contract.Stored:
        return assignments.withdraw_partner(request, deps=self.deps)

    @rpc_method(contract.FOLLOW)
    def follow(
        self, request: contract.ProjectRef, passport: Passport
    ) -> contract.Following:
        return followers.follow(request, actor=passport.subject, deps=self.deps)

    @rpc_method(contract.UNFOLLOW)
    def unfollow(
        self, request: contract.ProjectRef, passport: Passport
    ) -> contract.Following:
        return followers.unfollow(request, actor=passport.subject, deps=self.deps)

    @rpc_method(contract.ME)
    def me(self, _: Empty, passport: Passport) -> contract.Me:
        return people.me(actor=passport.subject, deps=self.deps)

    @rpc_method(contract.PROJECT)
    def project(
        self, request: contract.ProjectRef, passport: Passport
    ) -> contract.ProjectView:
        return readable_projects.project(
            request, actor=passport.subject, deps=self.deps
        )

    @rpc_method(contract.FIND_PROJECTS)
    def find_projects(
        self, request: contract.FindProjects, passport: Passport
    ) -> contract.FoundProjects:
        return readable_projects.find_projects(
            request, actor=passport.subject, deps=self.deps
        )

    @rpc_method(contract.MY_PROJECTS)
    def my_projects(self, _: Empty, passport: Passport) -> contract.MyProjects:
        return readable_projects.my_projects(actor=passport.subject, deps=self.deps)

    @rpc_method(contract.ANNOUNCE, subjects=DIRECTORY)
    def announce(self, request: contract.Announce, _: Passport) -> contract.Announced:
        return announcements.announce(request, deps=self.deps)

    @rpc_method(contract.FACTS, subjects=("messages", "search", "notifications"))
    def facts(self, request: contract.GetFacts, _: Passport) -> contract.Facts:
        found = directory.facts_about(request, deps=self.deps)
        self.deps.groups.note(found.people)
        return found

    @rpc_method(contract.RECORDS, subjects=DIRECTORY)
    def records(self, request: contract.GetRecords, _: Passport) -> contract.Records:
        return directory.records(request, deps=self.deps)

    @rpc_method(contract.FOLLOWERS, subjects=("notifications",))
    def followers(self, request: contract.GetFollowers, _: Passport) -> contract.People:
        return directory.followers(request, deps=self.deps)

    @rpc_method(contract.PEOPLE_BY_HANDLE, subjects=("messages", "notifications"))
    def people_by_handle(
        self, request: contract.GetPeopleByHandle, _: Passport
    ) -> contract.People:
        return directory.people_by_handle(request, deps=self.deps)

    @rpc_method(contract.SUGGEST_PEOPLE, subjects=("messages", "search"))
    def suggest_people(
        self, request: contract.SuggestPeople, _: Passport
    ) -> contract.People:
        return autocomplete.suggest_people(request, deps=self.deps)

    @rpc_method(contract.ANNOUNCEMENT, subjects=("messages",))
    def announcement(
        self, request: contract.GetAnnouncement, _: Passport
    ) -> contract.Announcement:
        return announcements.announcement(request, deps=self.deps)

    @rpc_method(contract.CHANGES, subjects=("messages",))
    def changes(self, request: feed.ReadChanges, _: Passport) -> feed.Changes:
        return directory.changes(request, deps=self.deps)

    @rpc_method(contract.PROGRESS, subjects=OPERATIONS)
    def progress(self, _request: Empty, _: Passport) -> feed.Progress:
        return directory.progress(deps=self.deps)


def build(settings: Settings, context: ProcessContext) -> Process:
    """Build the process; the database must be migrated."""
    database = Database(settings.database_url)
    deps = Dependencies(database=database, clock=context.clock)
    return Process(
        services=(ProjectsService,),
        config=container_config(context, deps),
        close=database.close,
        probes=Probes(
            gauges=(OUTBOX.gauges(contract.SERVICE, database, context.clock),),
            checks={"database": database.ping},
        ),
    )
