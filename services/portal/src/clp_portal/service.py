"""The entrypoints of `portal`: one for each route of the table."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from clp_chassis.bootstrap import (
    DependenciesProvider,
    Process,
    ProcessContext,
    container_config,
    dependencies_of,
)
from clp_chassis.clock import Clock, now
from clp_chassis.concurrency.loop_timer import timeout
from clp_chassis.concurrency.periodic import PeriodicTask
from clp_chassis.http import HTTP_REFUSALS, public_http
from clp_chassis.messaging import on_broadcast_events
from clp_chassis.observability import Check
from clp_chassis.persistence.database import Database
from clp_chassis.reachability import require_connection
from clp_chassis.rpc import CallContext, rpc_method
from clp_chassis.security.passports import Issuer, Passport
from clp_chassis.settings import naming_setting
from clp_contracts import events, feed
from clp_contracts import portal as contract
from clp_contracts.client import Clients
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.messages import SERVICE as MESSAGES
from clp_contracts.projects import SERVICE as PROJECTS
from clp_contracts.serialization import Empty
from clp_portal.attachment_proxy import AttachmentProxy
from clp_portal.auth.encryption import Encryption
from clp_portal.auth.identities import Identities
from clp_portal.auth.oidc import OidcClient, OidcSignIn
from clp_portal.auth.person_clients import PersonClients, PersonPassports
from clp_portal.auth.sessions import SessionPolicy, Sessions
from clp_portal.auth.sign_in import SignInMethod
from clp_portal.dependencies import Dependencies
from clp_portal.gauges import probes
from clp_portal.http.application import Application
from clp_portal.http.static_files import PREFIX, StaticFiles
from clp_portal.live.consumer import TICK_S, Ticks
from clp_portal.live.eligibility import Eligibility
from clp_portal.live.event_ids import EventIds
from clp_portal.live.message_frames import MessageFrames
from clp_portal.live.updates import LiveUpdates
from clp_portal.rendering import Renderer
from clp_portal.routes import ROUTES
from clp_portal.settings import Settings
from clp_portal.views.urls import SIGN_IN_CALLBACK, SIGNED_OUT
from clp_portal.web import Route

SWEEP_INTERVAL_S: Final = 600.0
# The key that may vouch for people, and for nobody else.
PEOPLE_KEY: Final = "people.pem"


def _sweep(container: Any) -> Callable[[], object]:
    application: Application = dependencies_of(container)
    return application.sweep_sessions


def _tick(container: Any) -> Callable[[], object]:
    application: Application = dependencies_of(container)
    return application.live.tick


class PortalService:
    """Pages and JSON for people, and the end of sessions for operators."""

    name = contract.SERVICE
    application = DependenciesProvider()
    call_info = CallContext()
    sweep = PeriodicTask(_sweep, SWEEP_INTERVAL_S)
    ticks = Ticks(_tick, TICK_S)

    @rpc_method(contract.PROGRESS, subjects=("operations",))
    def progress(self, _request: Empty, _: Passport) -> feed.Progress:
        # It owns no feed and keeps no cursor: its response is its sign of life.
        return feed.Progress(head=0, pending=0, due=0, readers=())

    @rpc_method(contract.END_SESSIONS, subjects=("operations",))
    def end_sessions(
        self, request: contract.EndSessions, _: Passport
    ) -> contract.SessionsEnded:
        application: Application = self.application
        return application.end_sessions(request)

    @on_broadcast_events(MESSAGES, *events.OF_MESSAGES)
    def on_messages_changed(self, body: Any) -> None:
        application: Application = self.application
        application.live.wake(body["position"])

    @on_broadcast_events(PROJECTS, *events.OF_PROJECTS)
    def on_projects_changed(self, body: Any) -> None:
        application: Application = self.application
        application.project_changed(body)

    @public_http("GET", f"{PREFIX}/<version>/<path:path>")
    def static_file(self, request: Request, *, version: str, path: str) -> Response:
        application: Application = self.application
        return application.static_response(request, version=version, path=path)


def _entrypoint(route: Route) -> Any:
    """Make the entrypoint of a route."""

    def entrypoint(self: PortalService, request: Request, **values: Any) -> Response:
        application: Application = self.application
        return application.respond(route, request, values)

    return public_http(route.method, route.path)(entrypoint)


for _number, _route in enumerate(ROUTES):
    setattr(PortalService, f"route_{_number}", _entrypoint(_route))


def build(
    settings: Settings,
    context: ProcessContext,
    *,
    sign_in: SignInMethod | None = None,
) -> Process:
    """Put the process together; its database must be migrated.

    Without ``sign_in`` people sign in at the identity provider of the settings. No
    setting can choose anything else.
    """
    clients = context.clients()
    static_files = StaticFiles.load()
    deps = _dependencies(
        settings,
        context,
        clients=clients,
        renderer=Renderer(static_files.address),
        sign_in=sign_in or _oidc(settings, context.clock),
    )

    def close() -> None:
        deps.people.close()
        clients.close()
        deps.database.close()

    application = Application(deps, static_files)
    config = container_config(
        context,
        application,
        http_address=settings.http_address,
        http_address_file=settings.http_address_file,
    )
    return Process(
        services=(PortalService,),
        config={**config, HTTP_REFUSALS: application.refusal_response},
        close=close,
        probes=probes(deps),
    )


def _dependencies(
    settings: Settings,
    context: ProcessContext,
    *,
    clients: Clients,
    renderer: Renderer,
    sign_in: SignInMethod,
) -> Dependencies:
    """Build what handlers use; ``clients`` call on behalf of the portal itself."""
    # People who sign in see the failure of a connection that the server ended.
    database = Database(settings.database_url, pre_ping=True)
    passports = PersonPassports(
        Issuer.from_file(Path(settings.keys_dir) / PEOPLE_KEY, context.clock)
    )
    pool = RpcConnectionPool(context.broker_url, context.call_timeout_s, timeout)
    people = PersonClients(pool, passports)
    sessions = Sessions(database, context.clock, _policy(settings))
    encryption = Encryption(settings.secret)
    return Dependencies(
        settings=settings,
        database=database,
        sessions=sessions,
        sign_in=sign_in,
        identities=Identities(),
        people=people,
        attachments=AttachmentProxy(
            settings.messages_url,
            lambda person: passports.passport(person, MESSAGES),
        ),
        encryption=encryption,
        renderer=renderer,
        live=LiveUpdates(
            clients=clients,
            sessions=sessions,
            event_ids=EventIds(encryption, ttl_s=int(settings.session_max_s)),
            message_frames=MessageFrames(renderer, people.for_person),
            eligibility=Eligibility(clients),
        ),
        clock=context.clock,
    )


def _policy(settings: Settings) -> SessionPolicy:
    return SessionPolicy(
        idle=timedelta(seconds=settings.session_idle_s),
        maximum=timedelta(seconds=settings.session_max_s),
    )


def reach(settings: Settings) -> dict[str, Check]:
    """Checks of ``--check``: the identity provider, and `messages`."""
    return {
        "oidc_issuer": lambda: _oidc(settings, now).ping(),
        "messages_url": lambda: require_connection(settings.messages_url),
    }


def _oidc(settings: Settings, clock: Clock) -> OidcSignIn:
    public_url = settings.public_url.rstrip("/")
    client = OidcClient(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        redirect_uri=f"{public_url}{SIGN_IN_CALLBACK}",
        signed_out_uri=f"{public_url}{SIGNED_OUT}",
        person_claim=settings.person_claim,
        timeout_s=settings.oidc_timeout_s,
    )
    with naming_setting("CLP_PORTAL_OIDC_ISSUER"):
        return OidcSignIn(client, clock)
