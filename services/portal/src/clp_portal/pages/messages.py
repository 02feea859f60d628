"""Pages about one message: explanations, earlier texts, files."""

from clp_portal.views.explanation import explanation_rows
from clp_portal.views.revisions import revision_rows
from clp_portal.web import Context, Response, StreamResponse, TemplateResponse


def show_explanation(context: Context) -> Response:
    """Show who was told of a message, and why."""
    explanation = context.clients.notifications.explain(
        message=context.value("message"),
        language=context.locale.tag,
        time_zone=context.locale.time_zone,
    )
    rows = explanation_rows(explanation)
    return _shown(context, "explanation.html", rows)


def show_revisions(context: Context) -> Response:
    """Show what a message said before; for the studio."""
    revisions = context.clients.messages.revisions(message=context.value("message"))
    return _shown(context, "revisions.html", revision_rows(revisions, context.locale))


def download(context: Context) -> Response:
    """Pass an attachment on to its reader; whole for a validator, as none is sent."""
    headers = context.request.headers
    file = context.deps.attachments.download(
        context.me.id,
        context.value("attachment"),
        byte_range=None if "If-Range" in headers else headers.get("Range"),
    )
    return StreamResponse(chunks=file.chunks, status=file.status, headers=file.headers)


def _shown(context: Context, template: str, rows: object) -> Response:
    fragment = context.request.wants_fragment
    return TemplateResponse(
        template=template, values={"rows": rows, "fragment": fragment}
    )
