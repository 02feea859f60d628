"""Preview whom a draft would reach, by the rules that route a message (rule 47)."""

from typing import Final

from clp_chassis.persistence.bulk_sql import batched
from clp_contracts import notifications as contract
from clp_contracts.core_mapping import to_mention, to_people, to_project
from clp_contracts.errors import Refused
from clp_contracts.projects import ProjectFacts
from clp_core import previews
from clp_core.channels import Channel, ChannelKind, Project
from clp_core.decisions import Decision
from clp_core.mentions import Mentions, lookup_keys_in, resolve_mentions
from clp_core.messages import judge_text
from clp_core.people import Person
from clp_core.routing import (
    ROUTES,
    RULES,
    MentionRouting,
    RoutingFacts,
    RoutingReason,
    Trigger,
)
from clp_core.visibility import may_post
from clp_notifications.dependencies import Dependencies
from clp_notifications.mapping import person_in, project_in

KEYS_PER_CALL: Final = 5000


def preview(
    request: contract.GetPreview, *, actor: str, deps: Dependencies
) -> contract.Preview:
    """Return the audience of a draft.

    External people see the studio as one group, and the people whom they mention.

    Raises:
        Refused: what posting would be refused with, except for an empty text.
    """
    # An empty draft is previewed too.
    _require(judge_text(request.text, attachments=1))
    channel = _channel_of(request.channel)
    facts = deps.facts_for(actor, channel.project)
    author, found = person_in(facts, actor), project_in(facts, channel.project)
    if author is None or found is None:
        raise Refused("channel.missing")
    project = to_project(found)
    _require(may_post(author, channel, project))
    mentions = _mentions_in(request.text, author, channel, project=project, deps=deps)
    routing = RoutingFacts(
        author=author,
        channel=channel,
        project=project,
        followers=_followers(author, channel, deps),
        mentioned=frozenset(mentions.people),
    )
    return _preview_of(routing, mentions, found, deps=deps)


def _require(decision: Decision) -> None:
    if not decision:
        raise Refused.because(decision.reason, **decision.detail)


def _channel_of(name: str) -> Channel:
    try:
        return Channel.named(name)
    except ValueError:
        raise Refused("channel.missing") from None


def _mentions_in(
    text: str, author: Person, channel: Channel, *, project: Project, deps: Dependencies
) -> Mentions:
    owners: dict[str, Person] = {}
    for keys in batched(sorted(lookup_keys_in(text)), KEYS_PER_CALL):
        response = deps.clients.projects.people_by_handle(
            lookup_keys=keys,
            partner=channel.partner,
            everybody=channel.kind is ChannelKind.BROADCAST,
        )
        owners.update(to_people(response.people))
    mentions = resolve_mentions(
        text, author=author, channel=channel, project=project, owners=owners.values()
    )
    _require(mentions.decision)
    return mentions


def _followers(
    author: Person, channel: Channel, deps: Dependencies
) -> frozenset[Person]:
    """Read the followers who may be recipients, of one partner where that is enough."""
    partner = author.partner if channel.partner is None else channel.partner
    people = deps.clients.projects.followers(
        project=channel.project, partner=partner
    ).people
    return frozenset(to_people(people).values())


def _preview_of(
    routing: RoutingFacts,
    mentions: Mentions,
    project: ProjectFacts,
    *,
    deps: Dependencies,
) -> contract.Preview:
    found = previews.preview(routing, deps.routing)
    rule, trigger = _rule_of(routing, deps)
    names = {partner.id: partner.name for partner in project.partners}
    return contract.Preview(
        rule=rule,
        trigger=trigger,
        groups=tuple(
            contract.AudienceGroup(
                partner=group.partner,
                name=names.get(group.partner or "", deps.studio_name),
                count=group.count,
            )
            for group in found.groups
        ),
        people=tuple(
            contract.AudiencePerson(id=person.id, name=person.name)
            for person in found.mentioned
        ),
        mentions=tuple(to_mention(outcome) for outcome in mentions.outcomes),
        nobody=None if found.nobody is None else found.nobody.value,
    )


def _rule_of(routing: RoutingFacts, deps: Dependencies) -> tuple[str, str | None]:
    """Return the rule and the trigger of the draft's route."""
    replaces = deps.routing.mention_routing is MentionRouting.REPLACES
    if routing.mentioned and replaces:
        return RULES[RoutingReason.TOLD_MENTION], Trigger.MENTION.value
    route = ROUTES[routing.channel.kind, routing.author.side]
    if route is None:
        raise ValueError("external people do not post to broadcast channels")
    return route.rule, route.trigger.value
