"""Lines that lead nowhere and remember what was said into them."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from clp_contracts.connection_pool import Lines
from clp_contracts.errors import Refused


class ListeningLines(Lines):
    """Answers every post with the same reply."""

    def __init__(self) -> None:
        super().__init__("inprocess://nowhere/", 1.0)
        self.contexts: list[dict[str, Any]] = []

    @override
    def call(
        self,
        address: tuple[str, str],
        arguments: Mapping[str, Any],
        context: Mapping[str, Any],
    ) -> Any:
        self.contexts.append(dict(context))
        if address[1] != "post":
            raise Refused("path.missing")
        at = "2026-11-25T12:00:00+00:00"
        return {"id": "m", "channel": "c", "number": 1, "posted_at": at, "mentions": []}
