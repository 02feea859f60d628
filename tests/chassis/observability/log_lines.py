"""A connection pool that records the calls made over it."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.errors import Refused


class RecordingPool(RpcConnectionPool):
    """Give every call the same response."""

    def __init__(self) -> None:
        super().__init__("inprocess://nowhere/", 1.0)
        self.contexts: list[dict[str, Any]] = []

    @override
    def call(
        self,
        service: str,
        method: str,
        arguments: Mapping[str, Any],
        *,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        self.contexts.append(dict(context or {}))
        if method != "post":
            raise Refused("path.missing")
        at = "2026-11-25T12:00:00+00:00"
        return {"id": "m", "channel": "c", "number": 1, "posted_at": at, "mentions": []}
