"""Serve RPC methods: check the passport, decode the request, encode the response."""

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from nameko.extensions import DependencyProvider

from clp_chassis.clock import new_id
from clp_chassis.concurrency.call_limits import RATE_LIMIT, CallLimits
from clp_chassis.messaging import EncodedResponse
from clp_chassis.messaging import rpc as rpc_entrypoint
from clp_chassis.observability import observed_call
from clp_chassis.observability.tracing import PARENT
from clp_chassis.persistence.database import TRANSIENT_ERRORS
from clp_chassis.security.passports import Passport, Verifier
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.methods import Method, PassportKind, Request, Response
from clp_contracts.serialization import encode, load

log = logging.getLogger(__name__)


def _is_failure(record: logging.LogRecord) -> bool:
    """A refusal is a response and no failure; Nameko logs it as one."""
    kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
    return kind is None or not issubclass(kind, Refused)


logging.getLogger("nameko.containers").addFilter(_is_failure)

S = TypeVar("S", bound="RpcService")
VERIFIER: Final = "clp_passport_verifier"


class CallContext(DependencyProvider):  # type: ignore[misc]
    """Give an entrypoint what came with a call besides its arguments.

    Args:
        group_of: gives, for a container and a person, whom this person shares a place
            in the fair queue with (see `CallLimits`).
    """

    def __init__(self, group_of: Callable[[Any, str], str] | None = None) -> None:
        self._group_of = group_of

    def setup(self) -> None:
        """Create the limits, shared by all methods of the service."""
        group_of, container = self._group_of, self.container
        self._limits = CallLimits(
            container.config.get(RATE_LIMIT),
            None if group_of is None else lambda person: group_of(container, person),
        )

    def get_dependency(self, worker_ctx: Any) -> "CallInfo":
        """Return the facts of one call."""
        data = worker_ctx.data
        return CallInfo(
            verifier=self.container.config[VERIFIER],
            limits=self._limits,
            token=data.get("auth_token"),
            chain=worker_ctx.call_id_stack,
            carrier={PARENT: data[PARENT]} if PARENT in data else {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInfo:
    """The passport of a call, its chain of calls and the trace it belongs to."""

    verifier: Verifier
    limits: CallLimits
    token: object
    chain: list[str]
    carrier: Mapping[str, str]

    def passport(self, method: Method[Any, Any], subjects: frozenset[str]) -> Passport:
        """Return the caller's passport, if the method accepts it.

        Raises:
            Refused: ``passport.wrong_kind`` also for a service not in ``subjects``.
        """
        passport = self.verifier.verify(self.token, method.kinds)
        is_service = passport.kind is PassportKind.SERVICE
        if is_service and passport.subject not in subjects:
            raise Refused.because(
                "passport.wrong_kind",
                kinds=sorted(method.kinds),
                services=sorted(subjects),
            )
        return passport

    def slot(
        self, passport: Passport, arguments: Mapping[str, Any]
    ) -> AbstractContextManager[None]:
        """Wait until a call with this passport and these arguments may run."""
        if passport.kind is PassportKind.PERSON:
            texts = [value for value in arguments.values() if isinstance(value, str)]
            return self.limits.person(passport.subject, sum(map(len, texts)))
        return self.limits.service(passport.subject)


class RpcService(Protocol):
    """A service class with methods of a contract."""

    call_info: Any


def rpc_method(
    method: Method[Request, Response], *, subjects: Collection[str] = ()
) -> Callable[[Callable[[S, Request, Passport], Response]], Callable[..., Any]]:
    """Serve a method of a contract with a function of (service, request, passport).

    ``subjects`` names the services that may call it, for a method that takes the
    passports of services. The broker's permissions are a second wall: they do not cover
    every way a message can reach a queue.

    Refusals are raised to the caller with their code; any other error becomes
    ``service.failed`` (with the id of an incident in the log) or
    ``service.unavailable`` (worth another try).
    """
    if (PassportKind.SERVICE in method.kinds) != bool(subjects):
        raise ValueError(f"{method.service}.{method.name}: name the services, if any")

    def decorate(
        function: Callable[[S, Request, Passport], Response],
    ) -> Callable[..., Any]:
        def respond(
            service: S, extra: tuple[Any, ...], arguments: Mapping[str, Any]
        ) -> Any:
            call: CallInfo = service.call_info
            passport = call.passport(method, frozenset(subjects))
            if extra:
                raise Refused.because(
                    "request.malformed", fields={"": ["by keyword only"]}
                )
            with call.slot(passport, arguments):
                request = load(method.request, arguments)
                return EncodedResponse(encode(function(service, request, passport)))

        # This signature takes anything, so that a malformed call is refused with a code
        # and not by Nameko's error.
        def entrypoint(service: S, /, *extra: Any, **arguments: Any) -> Any:
            call: CallInfo = service.call_info
            with observed_call(
                method.service, method.name, chain=call.chain, carrier=call.carrier
            ):
                return _translate_errors(
                    method, lambda: respond(service, extra, arguments)
                )

        entrypoint.__name__ = method.name
        entrypoint.__doc__ = function.__doc__
        entrypoint.clp_subjects = frozenset(subjects)  # type: ignore[attr-defined]
        return rpc_entrypoint(expected_exceptions=(Refused,))(entrypoint)  # type: ignore[no-any-return]

    return decorate


def _translate_errors(method: Method[Any, Any], respond: Callable[[], Any]) -> Any:
    name = f"{method.service}.{method.name}"
    try:
        return respond()
    except Refused as refused:
        # The code alone: the request may hold a person's text.
        is_passport = refused.code.startswith("passport.")
        level = logging.WARNING if is_passport else logging.INFO
        log.log(level, "%s refused: %s", name, refused.code)
        raise
    except CallFailed as failure:
        log.warning("%s: %s", name, failure)
        raise Refused.because("service.unavailable") from None
    except TRANSIENT_ERRORS as error:
        log.warning("%s: database unavailable: %s", name, type(error).__name__)
        raise Refused.because("service.unavailable") from None
    except Exception:
        incident = new_id()
        log.exception("%s failed, incident %s", name, incident)
        raise Refused.because("service.failed", incident=incident) from None
