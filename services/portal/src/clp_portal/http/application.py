"""From a request to a response: session, handler, template, headers, errors."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

import msgspec
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response as WerkzeugResponse

from clp_chassis.clock import new_id
from clp_chassis.http import RETRY_AFTER_S, EventStreamResponse, allowed_verbs
from clp_contracts.client import Clients
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.events import PERSON_CHANGED
from clp_contracts.portal import EndSessions, SessionsEnded
from clp_contracts.projects import Me, MyProjects
from clp_portal.dependencies import Dependencies
from clp_portal.http import cookies
from clp_portal.http.csrf import require_same_origin
from clp_portal.http.decoding import address_of, decode, has_files
from clp_portal.http.headers import response_headers
from clp_portal.http.static_files import StaticFiles
from clp_portal.problems import (
    MEDIA_TYPE,
    SERVER_ERROR,
    SESSION_OVER,
    UNAVAILABLE,
    Problem,
    problem_of,
)
from clp_portal.translation import Locale, best_language
from clp_portal.views.urls import API, STREAM, sign_in_url
from clp_portal.web import (
    Area,
    Context,
    JsonResponse,
    LiveResponse,
    RedirectResponse,
    Request,
    Response,
    Route,
    StreamResponse,
    TemplateResponse,
)

log = logging.getLogger(__name__)

SIGN_IN_STATE: Final = "sign-in"
NOTICE: Final = "notice"
ACCESS_MISSING: Final = "access.missing"
CLEAR_SITE_DATA: Final = '"cache", "storage"'
# What is below is for programs, whatever they accept.
BELOW: Final = f"{API}/"
RETRIED: Final = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}


class Application:
    """Serve the routes of the portal."""

    def __init__(self, deps: Dependencies, static_files: StaticFiles) -> None:
        self._deps = deps
        self._static_files = static_files
        self.live = deps.live
        self._headers = response_headers(
            deps.settings.public_url, provider=deps.settings.oidc_issuer
        )

    def end_sessions(self, request: EndSessions) -> SessionsEnded:
        """End every session of a person."""
        self._deps.identities.invalidate(request.person)
        count = self._deps.sessions.end_all(request.person)
        self.live.close_ended_sessions()
        return SessionsEnded(count=count)

    def project_changed(self, change: Mapping[str, Any]) -> None:
        """Apply a change of people, partners, assignments or followers at once."""
        self._deps.identities.project_changed()
        if change["type"] == PERSON_CHANGED:
            self._deps.identities.invalidate(change["subject"])
        self.live.project_changed(change)

    def sweep_sessions(self) -> None:
        """Delete the sessions that are over."""
        self._deps.sessions.sweep()

    def respond(
        self, route: Route, request: WerkzeugRequest, path_values: Mapping[str, Any]
    ) -> WerkzeugResponse:
        """Serve one request; whatever happens, the response is one of ours."""
        context = self._unread(request)
        try:
            require_same_origin(request, self._deps.settings.public_url)
            keeps_files = self._keeps_files(route, request)
            decoded = decode(request, path_values, route.body, keeps_files=keeps_files)
            # What somebody wrote is kept whatever fails from here on.
            context = replace(context, request=decoded)
            context = self._context(route, request, decoded)
            response = route.handler(context)
            built = self._built(response, context)
        except Refused as refused:
            built = self._refused(refused, route.area, context)
        except CallFailed as failure:
            log.warning("unavailable: %s", failure)
            built = self._refused(Refused(UNAVAILABLE), route.area, context)
        except Exception:
            incident = new_id()
            log.exception("a request failed, incident %s", incident)
            failed = Refused.because("service.failed", incident=incident)
            built = self._refused(failed, route.area, context)
        finally:
            # The files of a form.
            request.close()
        if context.notice:
            cookies.delete_cookie(built, cookies.NOTICE)
        return self._with_headers(built)

    def refusal_response(
        self, request: WerkzeugRequest, refused: Refused
    ) -> WerkzeugResponse:
        """Answer what no route has seen: a wrong verb, or a request without a seat."""
        is_program = request.path in {API, STREAM}
        area = Area.API if is_program else Area.PUBLIC
        built = self._refused(refused, area, self._unread(request))
        if verbs := allowed_verbs(refused):
            built.headers["Allow"] = verbs
        return self._with_headers(built)

    def static_response(
        self, request: WerkzeugRequest, *, version: str, path: str
    ) -> WerkzeugResponse:
        """Serve a static file."""
        try:
            return self._static_files.response(request, version=version, path=path)
        except Refused as refused:
            return self.refusal_response(request, refused)

    def _with_headers(self, built: WerkzeugResponse) -> WerkzeugResponse:
        if built.status_code in RETRIED:
            built.headers["Retry-After"] = str(RETRY_AFTER_S)
        for name, value in self._headers.items():
            built.headers.setdefault(name, value)
        return built

    # ---- who asks

    def _keeps_files(self, route: Route, request: WerkzeugRequest) -> bool:
        """Whether the files of a form are kept: of nobody they would fill the disk.

        A form is read before anything is refused, since its text must not be lost.
        """
        if route.area is Area.PUBLIC or not has_files(request):
            return False
        session_id = cookies.read_cookie(request, cookies.SESSION)
        return self._deps.sessions.find(session_id) is not None

    def _unread(self, request: WerkzeugRequest) -> Context:
        """Return the context of a request of which only the head was read."""
        return Context(
            request=Request(
                method=request.method,
                path=request.path,
                address=address_of(request),
                headers=_accept(request),
            ),
            locale=self._locale_of(request),
            deps=self._deps,
        )

    def _context(
        self, route: Route, request: WerkzeugRequest, decoded: Request
    ) -> Context:
        """Find the signed-in person; a public route does without."""
        deps = self._deps
        session_id = cookies.read_cookie(request, cookies.SESSION)
        locale = self._locale_of(request)
        if route.area is Area.PUBLIC:
            return Context(
                request=decoded,
                locale=locale,
                deps=deps,
                session_id=session_id,
                sign_in_state=self._sign_in_state(request),
            )
        session = deps.sessions.find(session_id)
        if session is None:
            raise Refused(SESSION_OVER)
        # Before anything of the page is read.
        event_id = deps.live.event_id() if route.area is Area.PAGE else ""
        clients = deps.people.for_person(session.person)
        me, projects = self._identity(route, session.person, clients)
        if not me.access:
            raise Refused(ACCESS_MISSING)
        return Context(
            request=decoded,
            locale=Locale(
                tag=me.language or locale.tag,
                time_zone=me.time_zone or deps.settings.time_zone,
            ),
            deps=deps,
            session=session,
            reader=me,
            loaded_projects=projects,
            person_clients=clients,
            session_id=session_id,
            notice=self._notice(request),
            event_id=event_id,
        )

    def _identity(
        self, route: Route, person: str, clients: Clients
    ) -> tuple[Me, MyProjects | None]:
        if route.area is Area.STREAM:
            return self._deps.identities.get_for_stream(person, clients)
        if route.shows_followed:
            return self._deps.identities.get_with_projects(person, clients)
        return self._deps.identities.get(person, clients), None

    def _locale_of(self, request: WerkzeugRequest) -> Locale:
        language = best_language(request.accept_languages.values())
        return Locale(tag=language, time_zone=self._deps.settings.time_zone)

    def _sign_in_state(self, request: WerkzeugRequest) -> dict[str, str] | None:
        token = cookies.read_cookie(request, cookies.SIGN_IN)
        return self._deps.encryption.decrypt(
            SIGN_IN_STATE, token, ttl_s=cookies.SIGN_IN_TTL_S
        )

    def _notice(self, request: WerkzeugRequest) -> dict[str, Any]:
        token = cookies.read_cookie(request, cookies.NOTICE)
        if not token:
            return {}
        found = self._deps.encryption.decrypt(NOTICE, token, ttl_s=cookies.NOTICE_TTL_S)
        return found or {}

    # ---- what is answered

    def _built(self, response: Response, context: Context) -> WerkzeugResponse:
        match response:
            case TemplateResponse():
                return self._page(response, context)
            case RedirectResponse():
                return self._redirect(response)
            case JsonResponse():
                return self._json(response, context)
            case LiveResponse():
                return EventStreamResponse(response.stream, person=context.me.id)
            case StreamResponse():
                return WerkzeugResponse(
                    response.chunks,
                    response.status,
                    dict(response.headers),
                    direct_passthrough=True,
                )

    def _page(self, response: TemplateResponse, context: Context) -> WerkzeugResponse:
        return WerkzeugResponse(
            self._rendered(response, context),
            response.status,
            dict(response.headers),
            mimetype="text/html",
        )

    def _rendered(self, response: TemplateResponse, context: Context) -> str:
        request = context.request
        values = {
            "me": context.reader,
            "locale": context.locale,
            "event_id": context.event_id,
            "path": request.path,
            "is_development": self._deps.sign_in.is_development,
            **response.values,
        }
        return self._deps.renderer.render(
            response.template, context.locale.language, values
        )

    def _redirect(self, response: RedirectResponse) -> WerkzeugResponse:
        built = WerkzeugResponse(status=303, headers={"Location": response.location})
        encryption = self._deps.encryption
        if response.notice:
            notice = encryption.encrypt(NOTICE, response.notice)
            cookies.set_cookie(
                built, cookies.NOTICE, notice, max_age_s=cookies.NOTICE_TTL_S
            )
        if response.sign_in_state:
            state = encryption.encrypt(SIGN_IN_STATE, response.sign_in_state)
            cookies.set_cookie(
                built, cookies.SIGN_IN, state, max_age_s=cookies.SIGN_IN_TTL_S
            )
        if response.session_id:
            cookies.set_cookie(built, cookies.SESSION, response.session_id)
            cookies.delete_cookie(built, cookies.SIGN_IN)
        if response.ends_session:
            cookies.delete_cookie(built, cookies.SESSION)
            built.headers["Clear-Site-Data"] = CLEAR_SITE_DATA
        return built

    def _json(self, response: JsonResponse, context: Context) -> WerkzeugResponse:
        body = response.body
        if response.fragments:
            drawn = {
                name: self._rendered(fragment, context)
                for name, fragment in response.fragments.items()
            }
            body = {**body, **drawn}
        headers = dict(response.headers)
        media_type = headers.pop("Content-Type", "application/json")
        return WerkzeugResponse(
            msgspec.json.encode(body, order="deterministic"),
            response.status,
            headers,
            content_type=media_type,
        )

    def _refused(
        self, refused: Refused, area: Area, context: Context
    ) -> WerkzeugResponse:
        """Answer a refusal: as a problem, as the way to the sign-in, or as a page."""
        problem = problem_of(refused, context.locale)
        request = context.request
        is_program = area in {Area.API, Area.STREAM} or request.path.startswith(BELOW)
        if is_program or request.wants_json:
            return self._problem(problem)
        is_get = request.method in {"GET", "HEAD"}
        if problem.code == SESSION_OVER and is_get:
            location = sign_in_url(request.address)
            return self._redirect(RedirectResponse(location=location))
        page = TemplateResponse(
            template=_template_of(problem),
            # The bytes of a hidden page and of a missing one are the same.
            values={
                "problem": problem,
                "event_id": "",
                "is_get": is_get,
                "address": request.address,
                "kept": _kept(request, area),
            },
            status=problem.status,
        )
        return self._page(page, context)

    def _problem(self, problem: Problem) -> WerkzeugResponse:
        return WerkzeugResponse(
            msgspec.json.encode(problem.body(), order="deterministic"),
            problem.status,
            content_type=MEDIA_TYPE,
        )


def _template_of(problem: Problem) -> str:
    if problem.code == ACCESS_MISSING:
        return "no_access.html"
    if problem.code == SESSION_OVER:
        return "session_over.html"
    return "error.html" if problem.status < SERVER_ERROR else "failed.html"


def _kept(request: Request, area: Area) -> tuple[tuple[str, str], ...]:
    """Return the form to be sent once more; files cannot be."""
    return request.form.pairs if area is Area.PAGE and not request.files else ()


def _accept(request: WerkzeugRequest) -> dict[str, str]:
    accept = request.headers.get("Accept")
    return {} if accept is None else {"Accept": accept}
