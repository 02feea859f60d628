"""Find messages: only ever in channels that the asker may read at this moment."""

from typing import Final

from clp_contracts.errors import Refused
from clp_contracts.search import AskFind, Found, Hit
from clp_core.channels import Channel, is_id
from clp_core.decisions import InvalidValue, Reason
from clp_search.dependencies import Parts
from clp_search.engine import Document, EngineAway, IndexDamaged, Page, Shown, Wanted
from clp_search.mapping import readable_channels
from clp_search.page_cursors import Asked
from clp_search.query import Query, parse
from clp_search.terms import plan_of

MOST_HITS: Final = 50

# A page that ended because enough had been looked at; its cursor leads on.
UNFINISHED: Final = "search.unfinished"

NOTHING: Final = Page(documents=(), total=0, total_is_exact=True, next=None)


def find(ask: AskFind, *, actor: str, parts: Parts) -> Found:
    """A page of the newest messages that a query finds (rules 33 to 36)."""
    _check_shape(ask)
    query = parse(ask.query)
    project, channels = _scope(ask, actor, parts)
    asked = Asked(person=actor, scope=ask.channel or project, query=ask.query)
    after = parts.cursors.read(ask.cursor, asked)
    wanted = Wanted(
        project=project,
        channels=channels,
        plan=plan_of(query),
        after=after,
        limit=min(ask.limit, MOST_HITS),
    )
    page = _searched(wanted, parts) if query else NOTHING
    # The index is an old copy and no authority: each hit is asked for again.
    readable = [d for d in page.documents if d.channel in channels]
    unfinished = page.next is not None and len(page.documents) < wanted.limit
    return Found(
        hits=_hits(readable, query, parts),
        total=page.total,
        total_is_exact=page.total_is_exact,
        cursor=parts.cursors.write(page.next, asked) if page.next else None,
        notes=(*query.notes, UNFINISHED) if unfinished else query.notes,
    )


def _searched(wanted: Wanted, parts: Parts) -> Page:
    try:
        return parts.engine.search(wanted)
    except (IndexDamaged, EngineAway):
        raise Refused.because("service.unavailable") from None


def _hits(page: list[Document], query: Query, parts: Parts) -> tuple[Hit, ...]:
    """What is shown of a page; marking is work, and the engine's to do."""
    try:
        shown = parts.engine.show(page, query)
    except (IndexDamaged, EngineAway):
        raise Refused.because("service.unavailable") from None
    return tuple(map(_hit, page, shown))


def _check_shape(ask: AskFind) -> None:
    wrong: dict[str, list[str]] = {}
    if (ask.channel is None) == (ask.project is None):
        wrong["channel"] = ["Name a channel or a project, and not both."]
    if ask.limit < 1:
        wrong["limit"] = ["At least one hit."]
    if wrong:
        raise Refused.because("ask.malformed", fields=wrong)


def _scope(ask: AskFind, actor: str, parts: Parts) -> tuple[str, frozenset[str]]:
    """The project and the channels to look in, as the rules say now (rule 36).

    What is missing and what is hidden is refused alike, after the same question.
    """
    project = _project_of(ask.channel) if ask.channel is not None else ask.project
    named = [project] if project is not None and is_id(project) else []
    about = (actor, named[0] if named else None)
    readable: frozenset[str] = frozenset()
    # What is remembered may open a named channel; which ones there are is asked anew.
    asked = parts.known.about(*about) if ask.channel else (parts.known.now(*about),)
    for told in asked:
        readable = readable_channels(told)
        if ask.channel is not None:
            readable &= {ask.channel}
        if readable and project is not None:
            return project, readable
    raise Refused.because(
        Reason.PROJECT_MISSING if ask.channel is None else Reason.CHANNEL_MISSING
    )


def _project_of(channel: str) -> str | None:
    try:
        return Channel.named(channel).project
    except InvalidValue:
        return None


def _hit(document: Document, shown: Shown) -> Hit:
    return Hit(
        message=document.message,
        channel=document.channel,
        number=document.number,
        author=document.author,
        posted_at=document.posted_at,
        snippet=shown.snippet,
        attachments=shown.attachments,
    )
