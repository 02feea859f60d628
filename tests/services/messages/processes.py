"""The service in a container of its own: calls over a broker, files over HTTP."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from nameko.containers import ServiceContainer

from clp_chassis.bootstrap import ProcessContext, container_config
from clp_chassis.clock import new_id, now
from clp_chassis.http import http_address_of
from clp_chassis.inprocess import reset
from clp_chassis.security.passports import Issuer, TrustedKey, Verifier, new_key
from clp_contracts.client import Clients, RpcClient
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.methods import PassportKind
from clp_messages.service import MessagesService
from tests.chassis.raw_http import HttpResponse, Wire
from tests.services.messages.scenario import NORTH, PDF, Scenario


class Running:
    """The service in a container of its own, with clients of it."""

    def __init__(self, scenario: Scenario, **changed: Any) -> None:
        self.scenario = scenario
        self.broker = new_id()
        url = f"inprocess://{self.broker}/"
        key = new_key()
        self.issuer = Issuer("gateway", key, now)
        trusted = {"gateway": TrustedKey(key.public_key(), frozenset(PassportKind))}
        context = ProcessContext(
            url, Verifier(trusted, now, audience="messages"), lambda _: ""
        )
        deps = replace(scenario.deps, clock=now, **changed)
        config = container_config(context, deps, http_address="127.0.0.1:0")
        self.container = ServiceContainer(MessagesService, config)
        self.container.start()
        self.address = http_address_of(self.container)
        self.connections = RpcConnectionPool(url, 10)

    def passport(self, person: str, kind: PassportKind = PassportKind.PERSON) -> str:
        return self.issuer.issue(person, kind, audience="messages")

    def as_(self, person: str, kind: PassportKind = PassportKind.PERSON) -> Clients:
        return Clients(RpcClient(self.connections, self.passport(person, kind)))

    def request(
        self, person: str, verb: str, path: str, body: bytes | None = None, **more: str
    ) -> HttpResponse:
        bearer = f"Bearer {self.passport(person)}"
        with Wire(self.address) as wire:
            return wire.request(verb, path, body, Authorization=bearer, **more)

    def upload(
        self, person: str, name: str, body: bytes = PDF, channel: str = NORTH
    ) -> HttpResponse:
        return self.request(person, "POST", path_of(channel, name), body)

    def stop(self) -> None:
        self.connections.close()
        self.container.stop()
        reset(self.broker)


def path_of(channel: str, name: str) -> str:
    return f"/attachments?channel={quote(channel, safe='')}&name={quote(name)}"
