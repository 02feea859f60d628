"""Calls on behalf of one passport."""

from collections.abc import Callable, Mapping, Sequence

from clp_contracts.connection_pool import Lines
from clp_contracts.methods import Ask, Method, Reply
from clp_contracts.serialization import arguments, load_reply

Passport = str | Callable[[], str]


class Calls:
    """Makes calls on behalf of one passport, each bounded by a timeout in seconds."""

    def __init__(
        self,
        lines: Lines,
        passport: Passport,
        *,
        chain: Callable[[], Sequence[str]] = tuple,
        carrier: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._lines = lines
        self._passport = passport
        self._chain = chain
        self._carrier = carrier

    def call(self, method: Method[Ask, Reply], ask: Ask) -> Reply:
        """Send an ask and read the reply."""
        token = self._passport if isinstance(self._passport, str) else self._passport()
        context = {
            **self._carrier(),
            "auth_token": token,
            "call_id_stack": list(self._chain()),
        }
        reply = self._lines.call((method.service, method.name), arguments(ask), context)
        return load_reply(method.reply, reply)

    def close(self) -> None:
        """Give the connections back."""
        self._lines.close()
