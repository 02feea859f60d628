"""The service in a container of its own: calls over a broker, files over HTTP."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from nameko.containers import ServiceContainer

from clp_chassis.bootstrap import Surroundings, configured
from clp_chassis.clock import new_id, now
from clp_chassis.http import http_address_of
from clp_chassis.inprocess import forget
from clp_chassis.security.passports import Issuer, TrustedKey, Verifier, new_key
from clp_contracts.client import Callers, Calls
from clp_contracts.connection_pool import Lines
from clp_contracts.methods import PassportKind
from clp_messages.service import MessagesService
from tests.chassis.raw_http import Answer, Wire
from tests.services.messages.scenario import NORTH, PDF, Stage


class Running:
    """The service in a container of its own, and callers of it."""

    def __init__(self, stage: Stage, **changed: Any) -> None:
        self.stage = stage
        self.broker = new_id()
        url = f"inprocess://{self.broker}/"
        key = new_key()
        self.issuer = Issuer("gateway", key, now)
        trusted = {"gateway": TrustedKey(key.public_key(), frozenset(PassportKind))}
        surroundings = Surroundings(url, Verifier(trusted, now), lambda: "")
        parts = replace(stage.parts, clock=now, **changed)
        config = configured(surroundings, parts, http_address="127.0.0.1:0")
        self.container = ServiceContainer(MessagesService, config)
        self.container.start()
        self.address = http_address_of(self.container)
        self.lines = Lines(url, 10)

    def passport(self, person: str, kind: PassportKind = PassportKind.PERSON) -> str:
        return self.issuer.issue(person, kind)

    def as_(self, person: str, kind: PassportKind = PassportKind.PERSON) -> Callers:
        return Callers(Calls(self.lines, self.passport(person, kind)))

    def ask(
        self, person: str, verb: str, path: str, body: bytes | None = None, **more: str
    ) -> Answer:
        bearer = f"Bearer {self.passport(person)}"
        with Wire(self.address) as wire:
            return wire.ask(verb, path, body, Authorization=bearer, **more)

    def upload(
        self, person: str, name: str, body: bytes = PDF, channel: str = NORTH
    ) -> Answer:
        return self.ask(person, "POST", path_of(channel, name), body)

    def stop(self) -> None:
        self.lines.close()
        self.container.stop()
        forget(self.broker)


def path_of(channel: str, name: str) -> str:
    return f"/attachments?channel={quote(channel, safe='')}&name={quote(name)}"
