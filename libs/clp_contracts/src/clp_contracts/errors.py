"""The two exceptions a caller can meet: a refusal, and a call that failed."""

import json
from typing import Any, Self

from typing_extensions import override

from clp_contracts.error_codes import CODES


class Refused(Exception):
    """A service understood the call and said no.

    Only positional strings survive the wire, hence the shape: a stable ``code`` from
    `clp_contracts.error_codes` and a JSON object with the detail.
    """

    def __init__(self, code: str, detail_json: str = "{}") -> None:
        super().__init__(code, detail_json)
        self.code = code
        self.detail_json = detail_json

    @classmethod
    def because(cls, code: str, **detail: Any) -> Self:
        """Refuse with a code of the list and plain facts about the call."""
        return cls(str(code), json.dumps(detail, sort_keys=True))

    @property
    def detail(self) -> dict[str, Any]:
        """Facts about the call that a program may want."""
        detail: dict[str, Any] = json.loads(self.detail_json)
        return detail

    @property
    def sentence(self) -> str:
        """What to tell a person."""
        return CODES.get(self.code, self.code)

    @override
    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class CallFailed(Exception):
    """No answer: the service or the broker could not be reached in time.

    Whether the call took effect is unknown; a call with a retry key may be repeated.
    """

    code = "service.unavailable"

    def __init__(self, what: str) -> None:
        super().__init__(what)
