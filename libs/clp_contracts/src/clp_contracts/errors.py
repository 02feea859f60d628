"""The two exceptions of a call: a refusal by the service, and a failure."""

import json
from typing import Any, Self

from typing_extensions import override

from clp_contracts.error_codes import CODES, NAMING_LIMIT


class Refused(Exception):
    """A service refused the call.

    ``code`` is one of `clp_contracts.error_codes`; ``detail_json`` is a JSON object.
    Both are positional strings, because Nameko transports nothing else.
    """

    def __init__(self, code: str, detail_json: str = "{}") -> None:
        super().__init__(code, detail_json)
        self.code = code
        self.detail_json = detail_json

    @classmethod
    def because(cls, code: str, **detail: Any) -> Self:
        """Refuse with a code of the list and a detail that JSON can carry."""
        return cls(str(code), json.dumps(detail, sort_keys=True))

    @property
    def detail(self) -> dict[str, Any]:
        """Facts about the refusal, for programs; empty when a callee sent no object."""
        try:
            detail = json.loads(self.detail_json)
        except ValueError:
            return {}
        return detail if isinstance(detail, dict) else {}

    @property
    def sentence(self) -> str:
        """The sentence of the code, for people; with the limit of a quota."""
        sentence = CODES.get(self.code, self.code)
        limit = self.detail.get("max_bytes")
        if self.code in NAMING_LIMIT and isinstance(limit, int):
            return f"{sentence} The limit is {limit:,} bytes."
        return sentence

    @override
    def __str__(self) -> str:
        fields = self.detail.get("fields")
        named = f" ({', '.join(map(str, fields))})" if fields else ""
        return f"{self.code}: {self.sentence}{named}"


class CallFailed(Exception):
    """No response in time from the service or the broker.

    Whether the call took effect is unknown. Repeat calls with an idempotency key.
    """

    code = "service.unavailable"

    def __init__(self, description: str) -> None:
        super().__init__(description)
