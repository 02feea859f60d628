"""Find messages, only in channels that the actor may read at this moment."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from clp_contracts.errors import Refused
from clp_contracts.projects import Facts
from clp_contracts.search import FindMessages, Hit, SearchPage
from clp_core.channels import Channel, is_id
from clp_core.decisions import InvalidValue, Reason
from clp_search.analysis.phrase_matching import matches
from clp_search.analysis.query_terms import parse_keyword
from clp_search.analysis.tokenizer import tokenize
from clp_search.analysis.work import (
    MAX_STEPS_OF_TEXT,
    OverBudget,
    WorkBudget,
    unbounded,
)
from clp_search.dependencies import Dependencies
from clp_search.engine import (
    Document,
    EngineUnavailable,
    HitPage,
    HitSnippets,
    IndexDamaged,
    QueryTooExpensive,
    SearchRequest,
    StepsSpent,
)
from clp_search.highlighting import VerifiedHit
from clp_search.mapping import Access, access_of, document_of, readable_channels
from clp_search.page_cursors import CursorScope
from clp_search.query import Query, parse
from clp_search.search_slots import STEPS_PER_S
from clp_search.terms import query_plan

Result = TypeVar("Result")

MAX_HITS: Final = 50
# Authors of a query that are looked up, and people for each of them.
MAX_AUTHORS: Final = 3
MAX_PEOPLE: Final = 20

# The page ended because its work budget was spent; the cursor continues it.
UNFINISHED: Final = "search.unfinished"

NO_HITS: Final = HitPage(documents=(), total=0, total_is_exact=True, next=None)


def find(request: FindMessages, *, actor: str, deps: Dependencies) -> SearchPage:
    """Find a page of the newest messages that match a query (rules 33 to 36).

    Raises:
        Refused: for a malformed request, query or cursor, a channel or project that
            the actor may not read, a query that takes too much work, while searches
            of the same partner take more steps than it has (``calls.too_many``), and
            while the index or `messages` is unavailable.
    """
    _check_shape(request)
    query = parse(request.query)
    access = _access(request, actor, deps)
    query = _for_actor(request, query, access=access, deps=deps)
    scope = CursorScope(
        person=actor, scope=request.channel or access.project, query=request.query
    )
    after = deps.cursors.read(request.cursor, scope)
    limit = min(request.limit, MAX_HITS)
    search = SearchRequest(
        project=access.project,
        channels=access.channels,
        plan=query_plan(query),
        after=after,
        limit=limit,
    )
    slots = deps.search_slots.of(actor, access.group)
    page = _call(partial(deps.engine.search, search, slots)) if query else NO_HITS
    # The index may lag and is no authority: check each hit once more.
    current = _current(page.documents, query, access=access, deps=deps)
    hits = _call(partial(deps.engine.highlight, current, query, slots))
    unfinished = page.next is not None and len(page.documents) < limit
    return SearchPage(
        hits=tuple(map(_hit, current, hits)),
        total=page.total - (len(page.documents) - len(current)),
        total_is_exact=page.total_is_exact,
        cursor=deps.cursors.write(page.next, scope) if page.next else None,
        notes=(*query.notes, UNFINISHED) if unfinished else query.notes,
    )


def _call(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except QueryTooExpensive:
        raise Refused.because(
            "query.too_expensive", max_steps=MAX_STEPS_OF_TEXT
        ) from None
    except StepsSpent:
        raise Refused.because("calls.too_many", max_per_second=STEPS_PER_S) from None
    except (IndexDamaged, EngineUnavailable):
        raise Refused.because("service.unavailable") from None


def _for_actor(
    request: FindMessages, query: Query, *, access: Access, deps: Dependencies
) -> Query:
    """Return the query with the days and the authors that this actor means."""
    if query.has_times:
        query = parse(request.query, access.zone)
    authors = query.authors[:MAX_AUTHORS]
    if not authors:
        return query
    return query.with_people({typed: _people(typed, access, deps) for typed in authors})


def _people(typed: str, access: Access, deps: Dependencies) -> frozenset[str]:
    """Return the people whose present name or address this is, of those in reach."""
    keyword = parse_keyword(typed)
    suggestions = deps.clients.projects.suggest_people(
        typed=typed,
        project=access.project,
        partner=access.partner,
        everybody=access.partner is None,
        limit=MAX_PEOPLE,
    )
    return frozenset(
        person.id
        for person in suggestions.people
        if person.email.casefold() == typed.casefold()
        or (keyword and matches(tokenize(person.name), keyword, unbounded()))
    )


def _current(
    documents: Sequence[Document], query: Query, *, access: Access, deps: Dependencies
) -> list[Document]:
    """Return the hits that still match, as they are stored now.

    The index may be seconds behind: a message may have been deleted or edited since.
    """
    if not documents:
        return []
    ids = [document.message for document in documents]
    stored = deps.clients.messages.get_messages(message_ids=ids).messages
    states = {state.message.id: state for state in stored}
    current = []
    for document in documents:
        state = states.get(document.message)
        if state is None or state.message.channel not in access.channels:
            continue
        if state.message.revision == document.revision and not state.message.deleted:
            current.append(document)
        elif _still_matches(now := document_of(state), query):
            current.append(now)
    return current


def _still_matches(document: Document, query: Query) -> bool:
    try:
        return VerifiedHit(document, WorkBudget(MAX_STEPS_OF_TEXT)).matches_query(query)
    except OverBudget:
        return False


def _check_shape(request: FindMessages) -> None:
    errors: dict[str, list[str]] = {}
    if (request.channel is None) == (request.project is None):
        errors["channel"] = ["Name a channel or a project, and not both."]
    if request.limit < 1:
        errors["limit"] = ["At least one hit."]
    if errors:
        raise Refused.because("request.malformed", fields=errors)


def _access(request: FindMessages, actor: str, deps: Dependencies) -> Access:
    """Return what the actor may search, as the rules say now (rule 36).

    Refuse missing and hidden ones alike, after the same call.
    """
    project = (
        _project_of(request.channel) if request.channel is not None else request.project
    )
    named = [project] if project is not None and is_id(project) else []
    about = (actor, named[0] if named else None)
    for facts in _facts_about(*about, request=request, deps=deps):
        readable = readable_channels(facts)
        if request.channel is not None:
            readable &= {request.channel}
        if readable and project is not None:
            return access_of(facts.people[0], project, readable)
    raise Refused.because(
        Reason.PROJECT_MISSING if request.channel is None else Reason.CHANNEL_MISSING
    )


def _facts_about(
    actor: str, project: str | None, *, request: FindMessages, deps: Dependencies
) -> Iterator[Facts]:
    """Yield leased facts that show all that the actor may search, then current ones."""
    cached = deps.facts.cached if request.channel else deps.facts.complete
    if (leased := cached(actor, project)) is not None:
        yield leased
    yield deps.facts.fetch(actor, project)


def _project_of(channel: str) -> str | None:
    try:
        return Channel.named(channel).project
    except InvalidValue:
        return None


def _hit(document: Document, snippets: HitSnippets) -> Hit:
    return Hit(
        message=document.message,
        channel=document.channel,
        number=document.number,
        author=document.author,
        author_name=document.author_name,
        posted_at=document.posted_at,
        snippet=snippets.snippet,
        attachments=snippets.attachments,
    )
