"""The table of addresses: which function serves which, and who may come."""

from collections.abc import Iterator
from typing import Final

from clp_portal.api.routes import OPERATIONS, UPLOAD_PATH, handler_of, upload
from clp_portal.pages import (
    about_api,
    conversation,
    mail_settings,
    messages,
    projects,
    sign_in,
    stream,
    tickets,
)
from clp_portal.views import urls
from clp_portal.web import Area, Body, Handler, Route

BROADCAST: Final = "/<project>/broadcast"
DIRECT: Final = "/<project>/direct/<partner>"
CHANNELS: Final = (
    BROADCAST,
    f"{BROADCAST}/<int:number>",
    DIRECT,
    f"{DIRECT}/<int:number>",
)

SHOW_FOLLOWED: Final = (
    projects.show_my_projects,
    mail_settings.show_mail_settings,
)


def _get(path: str, handler: Handler, area: Area = Area.PAGE) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        area=area,
        shows_followed=handler in SHOW_FOLLOWED,
    )


def _post(path: str, handler: Handler, area: Area = Area.PAGE) -> Route:
    return Route(method="POST", path=path, handler=handler, area=area, body=Body.FORM)


def _pages() -> Iterator[Route]:
    yield _get("/", projects.show_my_projects)
    yield _get("/<project>", conversation.show_project)
    for path in CHANNELS:
        yield _get(path, conversation.show_channel)
        yield _post(path, conversation.change_channel)
    yield _post("/<project>/-/following", projects.change_following)
    yield _get(urls.FIND_PROJECTS, projects.show_found_projects)
    yield _get("/-/messages/<message>/explanation", messages.show_explanation)
    yield _get("/-/messages/<message>/revisions", messages.show_revisions)
    yield _get("/-/attachments/<attachment>", messages.download)
    yield _get(urls.MAIL_SETTINGS, mail_settings.show_mail_settings)
    yield _post(urls.MAIL_SETTINGS, mail_settings.change_mail_settings)
    yield _get(urls.HELP, tickets.show_tickets)
    yield _post(urls.HELP, tickets.submit_ticket)
    yield _get(urls.STREAM, stream.open_stream, Area.STREAM)
    yield _get(urls.API, about_api.show_api)
    yield _get("/<path:path>", about_api.show_nothing)


def _public_pages() -> Iterator[Route]:
    yield _get(urls.SIGN_IN, sign_in.show_sign_in, Area.PUBLIC)
    yield _post(urls.SIGN_IN, sign_in.choose_person, Area.PUBLIC)
    yield _get(urls.SIGN_IN_CALLBACK, sign_in.finish_sign_in, Area.PUBLIC)
    yield _post(urls.SIGN_OUT, sign_in.sign_out, Area.PUBLIC)
    yield _post(
        f"{urls.SIGN_OUT}/by-provider", sign_in.sign_out_by_provider, Area.PUBLIC
    )
    yield _get(urls.SIGNED_OUT, sign_in.show_signed_out, Area.PUBLIC)
    yield _get(urls.OPENAPI, about_api.show_openapi, Area.PUBLIC)
    yield _get("/-/problems/<code>", about_api.show_problem, Area.PUBLIC)


def _operations() -> Iterator[Route]:
    for operation in OPERATIONS:
        yield Route(
            method=operation.verb,
            path=operation.route_path,
            handler=handler_of(operation),
            area=Area.API,
            body=operation.body,
        )
    yield Route(
        method="POST",
        path=UPLOAD_PATH.replace("{channel}", "<path:channel>"),
        handler=upload,
        area=Area.API,
        body=Body.STREAM,
    )


ROUTES: Final = (*_pages(), *_public_pages(), *_operations())
