"""Find messages, only in channels that the actor may read at this moment."""

from typing import Final

from clp_contracts.errors import Refused
from clp_contracts.search import FindMessages, Hit, SearchPage
from clp_core.channels import Channel, is_id
from clp_core.decisions import InvalidValue, Reason
from clp_search.dependencies import Dependencies
from clp_search.engine import (
    Document,
    EngineUnavailable,
    HitPage,
    HitSnippets,
    IndexDamaged,
    SearchRequest,
)
from clp_search.mapping import readable_channels
from clp_search.page_cursors import CursorScope
from clp_search.query import Query, parse
from clp_search.terms import query_plan

MAX_HITS: Final = 50

# The page ended because its work budget was spent; the cursor continues it.
UNFINISHED: Final = "search.unfinished"

NO_HITS: Final = HitPage(documents=(), total=0, total_is_exact=True, next=None)


def find(request: FindMessages, *, actor: str, deps: Dependencies) -> SearchPage:
    """Find a page of the newest messages that match a query (rules 33 to 36).

    Raises:
        Refused: for a malformed request, query or cursor, a channel or project that
            the actor may not read, and while the index is unavailable.
    """
    _check_shape(request)
    query = parse(request.query)
    project, channels = _scope(request, actor, deps)
    scope = CursorScope(
        person=actor, scope=request.channel or project, query=request.query
    )
    after = deps.cursors.read(request.cursor, scope)
    limit = min(request.limit, MAX_HITS)
    search = SearchRequest(
        project=project,
        channels=channels,
        plan=query_plan(query),
        after=after,
        limit=limit,
    )
    page = _search(search, deps) if query else NO_HITS
    # The index may lag and is no authority: check each hit once more.
    readable = [d for d in page.documents if d.channel in channels]
    unfinished = page.next is not None and len(page.documents) < limit
    return SearchPage(
        hits=_hits(readable, query, deps),
        total=page.total,
        total_is_exact=page.total_is_exact,
        cursor=deps.cursors.write(page.next, scope) if page.next else None,
        notes=(*query.notes, UNFINISHED) if unfinished else query.notes,
    )


def _search(request: SearchRequest, deps: Dependencies) -> HitPage:
    try:
        return deps.engine.search(request)
    except (IndexDamaged, EngineUnavailable):
        raise Refused.because("service.unavailable") from None


def _hits(page: list[Document], query: Query, deps: Dependencies) -> tuple[Hit, ...]:
    """Highlight a page in the engine, which keeps the work out of this process."""
    try:
        snippets = deps.engine.highlight(page, query)
    except (IndexDamaged, EngineUnavailable):
        raise Refused.because("service.unavailable") from None
    return tuple(map(_hit, page, snippets))


def _check_shape(request: FindMessages) -> None:
    errors: dict[str, list[str]] = {}
    if (request.channel is None) == (request.project is None):
        errors["channel"] = ["Name a channel or a project, and not both."]
    if request.limit < 1:
        errors["limit"] = ["At least one hit."]
    if errors:
        raise Refused.because("request.malformed", fields=errors)


def _scope(
    request: FindMessages, actor: str, deps: Dependencies
) -> tuple[str, frozenset[str]]:
    """Return the project and the channels to search, as the rules say now (rule 36).

    Refuse missing and hidden ones alike, after the same call.
    """
    project = (
        _project_of(request.channel) if request.channel is not None else request.project
    )
    named = [project] if project is not None and is_id(project) else []
    about = (actor, named[0] if named else None)
    readable: frozenset[str] = frozenset()
    # Cached facts may open a named channel; the list of channels is always fetched.
    candidates = (
        deps.facts.get(*about) if request.channel else (deps.facts.fetch(*about),)
    )
    for facts in candidates:
        readable = readable_channels(facts)
        if request.channel is not None:
            readable &= {request.channel}
        if readable and project is not None:
            return project, readable
    raise Refused.because(
        Reason.PROJECT_MISSING if request.channel is None else Reason.CHANNEL_MISSING
    )


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
        posted_at=document.posted_at,
        snippet=snippets.snippet,
        attachments=snippets.attachments,
    )
