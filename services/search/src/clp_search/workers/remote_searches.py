"""Searches in worker processes, part by part; the engines differ in which worker."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from clp_search.engine import (
    Document,
    HighlightedSlice,
    HitPage,
    HitSnippets,
    SearchRequest,
    SliceRequest,
    Slots,
    VerifiedSlice,
    at_once,
    without_steps,
)
from clp_search.query import Query
from clp_search.result_pages import verified_page
from clp_search.snippets import snippets_of
from clp_search.workers.protocol import HIGHLIGHT, SEARCH, VERIFY, Method


class RemoteSearches(ABC):
    """The reading part of an `Engine` on worker processes."""

    @abstractmethod
    def _read(self, project: str, method: Method, arguments: Sequence[Any]) -> Any:
        """Call a worker that can read the messages of a project."""

    def search(self, request: SearchRequest, slots: Slots = at_once) -> HitPage:
        """Return a page of matching messages, slice by slice."""
        if request.plan.verify:
            return verified_page(request, self._verify, slots)
        call = partial(self._read, request.project, SEARCH, (request,))
        return cast("HitPage", slots(call, without_steps))

    def highlight(
        self, documents: Sequence[Document], query: Query, slots: Slots = at_once
    ) -> tuple[HitSnippets, ...]:
        """Highlight the matches of a page, in one more round trip.

        Long texts take more of them, and other calls get through in between.
        """
        return snippets_of(documents, query, highlight=self._highlight, slots=slots)

    def _verify(self, request: SliceRequest) -> VerifiedSlice:
        result = self._read(request.search.project, VERIFY, (request,))
        return cast("VerifiedSlice", result)

    def _highlight(
        self, documents: Sequence[Document], query: Query
    ) -> HighlightedSlice:
        result = self._read(documents[0].project, HIGHLIGHT, (documents, query))
        return cast("HighlightedSlice", result)
