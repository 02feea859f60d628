"""Serving calls: decode the ask, check the passport, call, encode the reply."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol, TypeVar

from nameko.extensions import DependencyProvider

from clp_chassis.clock import new_id
from clp_chassis.concurrency.fair_queue import Turns
from clp_chassis.messaging import rpc as rpc_entrypoint
from clp_chassis.observability import observed_call
from clp_chassis.observability.tracing import PARENT
from clp_chassis.persistence.database import AWAY
from clp_chassis.security.passports import Passport, Verifier
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.methods import Ask, Method, PassportKind, Reply
from clp_contracts.serialization import dump, load

log = logging.getLogger(__name__)


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """A refusal is an answer and no failure; the framework logs it as one."""
    kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
    return kind is None or not issubclass(kind, Refused)


logging.getLogger("nameko.containers").addFilter(_is_no_refusal)

S = TypeVar("S", bound="Serves")
VERIFIER: Final = "clp_passport_verifier"


class CallContext(DependencyProvider):  # type: ignore[misc]
    """What came with a call besides its arguments."""

    def setup(self) -> None:
        """Nobody has a turn yet."""
        self._turns = Turns()

    def get_dependency(self, worker_ctx: Any) -> "CallFacts":
        """The facts of one call."""
        verifier: Verifier = self.container.config[VERIFIER]
        data = worker_ctx.data
        carrier = {PARENT: data[PARENT]} if PARENT in data else {}
        return CallFacts(
            verifier,
            data.get("auth_token"),
            chain=worker_ctx.call_id_stack,
            carrier=carrier,
            turns=self._turns,
        )


class CallFacts:
    """The passport of a call, and the chain of calls and the trace it is part of."""

    def __init__(
        self,
        verifier: Verifier,
        token: object,
        *,
        chain: list[str],
        carrier: Mapping[str, str],
        turns: Turns,
    ) -> None:
        self.turns = turns
        self._verifier = verifier
        self._token = token
        self.chain = chain
        self.carrier = carrier

    def passport(self, method: Method[Any, Any]) -> Passport:
        """The caller's passport, if the method takes it; raises `Refused` if not."""
        return self._verifier.verify(self._token, method.kinds)


class Serves(Protocol):
    """A service class that serves methods of a contract."""

    call_facts: Any


def serves(
    method: Method[Ask, Reply],
) -> Callable[[Callable[[S, Ask, Passport], Reply]], Callable[..., Any]]:
    """Serve a method of a contract with a function of (service, ask, passport)."""

    def decorate(function: Callable[[S, Ask, Passport], Reply]) -> Callable[..., Any]:
        def answer(
            service: S, extra: tuple[Any, ...], arguments: Mapping[str, Any]
        ) -> Any:
            passport = service.call_facts.passport(method)
            if extra:
                raise Refused.because("ask.malformed", fields={"": ["by keyword only"]})
            with _turn_of(passport, service.call_facts.turns):
                return dump(function(service, load(method.ask, arguments), passport))

        # Nameko compares a call with the signature it sees: any, so that a malformed
        # call is refused by value and not by a framework's error.
        def entrypoint(service: S, *extra: Any, **arguments: Any) -> Any:
            facts: CallFacts = service.call_facts
            address = (method.service, method.name)
            with observed_call(address, facts.chain, facts.carrier):
                return _guarded(method, lambda: answer(service, extra, arguments))

        entrypoint.__name__ = method.name
        entrypoint.__doc__ = function.__doc__
        return rpc_entrypoint(expected_exceptions=(Refused,))(entrypoint)  # type: ignore[no-any-return]

    return decorate


def _turn_of(passport: Passport, turns: Turns) -> AbstractContextManager[None]:
    """A person waits for their own calls; services and robots work for everybody."""
    if passport.kind is PassportKind.PERSON:
        return turns.hold(passport.subject)
    return nullcontext()


def _is_of_a_passport(refused: Refused) -> bool:
    return refused.code.startswith("passport.")


def _guarded(method: Method[Any, Any], answer: Callable[[], Any]) -> Any:
    try:
        return answer()
    except Refused as refused:
        # The code alone: what was asked may be a person's text.
        level = logging.WARNING if _is_of_a_passport(refused) else logging.INFO
        log.log(level, "%s.%s refused: %s", method.service, method.name, refused.code)
        raise
    except CallFailed as failure:
        log.warning("%s.%s: %s", method.service, method.name, failure)
        raise Refused.because("service.unavailable") from None
    except AWAY as trouble:
        log.warning(
            "%s.%s waits: %s", method.service, method.name, type(trouble).__name__
        )
        raise Refused.because("service.unavailable") from None
    except Exception:
        incident = new_id()
        log.exception(
            "%s.%s failed, incident %s", method.service, method.name, incident
        )
        raise Refused.because("service.failed", incident=incident) from None
