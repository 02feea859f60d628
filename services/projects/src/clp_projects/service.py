"""The entrypoints of `projects`: decode, call, encode."""

from typing import Any, Final

from clp_chassis.bootstrap import Parts as PartsOfProcess
from clp_chassis.bootstrap import Process, Surroundings, configured, parts_of
from clp_chassis.events.outbox_relay import Relay, RelayDesk
from clp_chassis.persistence.database import Database
from clp_chassis.rpc import CallContext, serves
from clp_chassis.security.passports import Passport
from clp_contracts import feed
from clp_contracts import projects as contract
from clp_contracts.serialization import Nothing
from clp_projects.dependencies import Parts
from clp_projects.gauges import watched
from clp_projects.settings import Settings
from clp_projects.tables import OUTBOX
from clp_projects.use_cases import (
    announcements,
    assignments,
    autocomplete,
    directory,
    followers,
    people,
)

PACKAGE: Final = "clp_projects"


def _relay_desk(container: Any) -> RelayDesk:
    parts: Parts = parts_of(container)
    return RelayDesk(contract.SERVICE, parts.database, OUTBOX, parts.clock)


class ProjectsService:
    """People, partners, projects, followers and schedule facts."""

    name = contract.SERVICE
    parts = PartsOfProcess()
    call_facts = CallContext()
    relay = Relay(_relay_desk)

    @serves(contract.PUT_PERSON)
    def put_person(self, ask: contract.PutPerson, _: Passport) -> contract.Stored:
        return people.put_person(ask, parts=self.parts)

    @serves(contract.PUT_PARTNER)
    def put_partner(self, ask: contract.PutPartner, _: Passport) -> contract.Stored:
        return people.put_partner(ask, parts=self.parts)

    @serves(contract.PUT_PROJECT)
    def put_project(self, ask: contract.PutProject, _: Passport) -> contract.Stored:
        return assignments.put_project(ask, parts=self.parts)

    @serves(contract.ASSIGN)
    def assign_partner(
        self, ask: contract.AssignPartner, _: Passport
    ) -> contract.Stored:
        return assignments.assign_partner(ask, parts=self.parts)

    @serves(contract.WITHDRAW)
    def withdraw_partner(
        self, ask: contract.WithdrawPartner, _: Passport
    ) -> contract.Stored:
        return assignments.withdraw_partner(ask, parts=self.parts)

    @serves(contract.FOLLOW)
    def follow(
        self, ask: contract.OneProject, passport: Passport
    ) -> contract.Following:
        return followers.follow(ask, actor=passport.subject, parts=self.parts)

    @serves(contract.UNFOLLOW)
    def unfollow(
        self, ask: contract.OneProject, passport: Passport
    ) -> contract.Following:
        return followers.unfollow(ask, actor=passport.subject, parts=self.parts)

    @serves(contract.MY_PROJECTS)
    def my_projects(self, _: Nothing, passport: Passport) -> contract.MyProjects:
        return followers.my_projects(actor=passport.subject, parts=self.parts)

    @serves(contract.ANNOUNCE)
    def announce(self, ask: contract.Announce, _: Passport) -> contract.Announced:
        return announcements.announce(ask, parts=self.parts)

    @serves(contract.FACTS)
    def facts(self, ask: contract.AskFacts, _: Passport) -> contract.Facts:
        return directory.facts_about(ask, parts=self.parts)

    @serves(contract.FOLLOWERS)
    def followers(self, ask: contract.OneProject, _: Passport) -> contract.People:
        return directory.followers(ask, parts=self.parts)

    @serves(contract.OWNERS)
    def owners(self, ask: contract.AskOwners, _: Passport) -> contract.People:
        return directory.owners(ask, parts=self.parts)

    @serves(contract.PEOPLE_LIKE)
    def people_like(self, ask: contract.AskPeopleLike, _: Passport) -> contract.People:
        return autocomplete.people_like(ask, parts=self.parts)

    @serves(contract.ANNOUNCEMENT)
    def announcement(
        self, ask: contract.AskAnnouncement, _: Passport
    ) -> contract.Announcement:
        return announcements.announcement(ask, parts=self.parts)

    @serves(contract.CHANGES)
    def changes(self, ask: feed.ReadChanges, _: Passport) -> feed.Changes:
        return directory.changes(ask, parts=self.parts)

    @serves(contract.PROGRESS)
    def progress(self, _ask: Nothing, _: Passport) -> feed.Progress:
        return directory.progress(parts=self.parts)


def build(settings: Settings, surroundings: Surroundings) -> Process:
    """Put the process together; its database must be migrated."""
    database = Database(settings.database_url)
    parts = Parts(database=database, clock=surroundings.clock)
    return Process(
        services=(ProjectsService,),
        config=configured(surroundings, parts),
        close=database.close,
        watched=watched(parts),
    )
