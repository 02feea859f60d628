"""Keyword search at the top of a conversation."""

from dataclasses import replace
from typing import Final

from clp_contracts.errors import Refused
from clp_portal.problems import sentence_of
from clp_portal.views.conversation import project_frame
from clp_portal.views.search import SearchView, search_view
from clp_portal.views.urls import channel_url
from clp_portal.web import Context, Response, TemplateResponse

PROJECT: Final = "project"
SHOWN_ERRORS: Final = frozenset({"query.empty", "query.too_long", "cursor.malformed"})


def show_search(context: Context, channel: str) -> Response:
    """Show what a search found in a channel, or in the whole project."""
    query = context.request.query
    everywhere = query.get("in") == PROJECT
    conversation = context.clients.messages.conversation(
        channel=channel, latest=True, limit=1
    )
    typed = query.get("q").strip()
    status = 200
    try:
        found = context.clients.search.find(
            query=typed,
            channel=None if everywhere else channel,
            project=conversation.project if everywhere else None,
            cursor=query.get("cursor") or None,
        )
    except Refused as refused:
        if refused.code not in SHOWN_ERRORS:
            raise
        sentence = sentence_of(refused.code, context.locale)
        view = _failed(typed, everywhere=everywhere, sentence=sentence)
        status = 422
    else:
        view = search_view(
            found,
            conversation.channels,
            context.locale,
            query=typed,
            everywhere=everywhere,
        )
        if found.cursor is not None:
            scope = PROJECT if everywhere else ""
            more = {"q": typed, "in": scope, "cursor": found.cursor}
            view = replace(view, more_url=channel_url(channel, **more))
    values = {
        "project": project_frame(conversation, channel, context.locale),
        "search": view,
        "channel_url": channel_url(channel),
    }
    return TemplateResponse(template="search.html", values=values, status=status)


def _failed(query: str, *, everywhere: bool, sentence: str) -> SearchView:
    return SearchView(
        query=query,
        everywhere=everywhere,
        count="",
        hits=(),
        more_url="",
        error=sentence,
    )
