"""A channel: its messages, and what a person does in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from clp_contracts.errors import CallFailed, Refused
from clp_contracts.messages import (
    Attachment,
    Author,
    MentionMark,
    Message,
    MessageMay,
    Posted,
)
from clp_portal.attachment_proxy import Upload
from clp_portal.pages.search import show_search
from clp_portal.problems import problem_of, sentence_of, status_of
from clp_portal.tokens import new_key
from clp_portal.views.conversation import (
    PAGE_SIZE,
    ConversationView,
    conversation_view,
    current_channel,
    reader_of,
)
from clp_portal.views.messages import MessageView, Reader, message_view
from clp_portal.views.outcomes import Outcome, outcomes, preview_sentence
from clp_portal.views.unread import project_target
from clp_portal.views.urls import channel_url, message_url
from clp_portal.web import (
    Context,
    JsonResponse,
    RedirectResponse,
    Response,
    TemplateResponse,
)

# `mark_read` moves the marker to the last message at most.
LAST_NUMBER: Final = 2**31 - 1
OUTCOMES: Final = "outcomes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The content of the composer, with its outcomes and errors."""

    text: str = ""
    key: str = ""
    error: str = ""
    preview: str = ""


def show_project(context: Context) -> Response:
    """Lead to the first unread message of a project, else to its broadcast."""
    conversation = context.clients.messages.conversation(
        project=context.value("project"), limit=1
    )
    return RedirectResponse(location=project_target(conversation.unread))


def show_channel(context: Context) -> Response:
    """Show a channel, a message in it, or what a search in it found."""
    if "q" in context.request.query:
        return show_search(context, _channel_name(context))
    return _page(context, Draft())


def change_channel(context: Context) -> Response:
    """Do what a form of the page asks for."""
    action = context.request.form.get("action", "post")
    actions = {
        "post": _post,
        "preview": _preview,
        "mark-read": _mark_read,
        "edit": _edit,
        "delete": _delete,
    }
    if action not in actions:
        raise Refused("request.malformed")
    return actions[action](context)


# ---- what forms ask for


def _post(context: Context) -> Response:
    form = context.request.form
    draft = Draft(text=_text_of(context), key=form.get("key"))
    channel = _channel_name(context)
    try:
        attachments = _attachments_of(context, channel)
        posted = context.clients.messages.post(
            channel=channel,
            key=draft.key,
            text=draft.text,
            attachments=[one.id for one in attachments],
        )
    except (Refused, CallFailed) as error:
        return _not_posted(context, draft, error)
    told = outcomes(posted.mentions, context.locale)
    if context.request.wants_json:
        message = _as_posted(context, posted, text=draft.text, attachments=attachments)
        return _changed(message, told, status=201)
    shown = [_outcome_values(outcome) for outcome in told]
    return RedirectResponse(
        location=message_url(channel, posted.number),
        notice={OUTCOMES: shown} if shown else {},
    )


def _not_posted(
    context: Context, draft: Draft, error: Refused | CallFailed
) -> Response:
    """Show the page again with the text in it; whatever hides the channel hides."""
    if context.request.wants_json:
        raise error
    if isinstance(error, CallFailed):
        sentence = sentence_of("service.unavailable", context.locale)
        kept = context.locale.gettext("Your text is kept below.")
        return _page(context, replace(draft, error=f"{sentence} {kept}"), status=503)
    if error.code.endswith(".missing") and error.code != "attachment.missing":
        raise error
    problem = problem_of(error, context.locale)
    name = error.detail.get("file", "")
    said = f"{name}: {problem.title}" if name else problem.title
    if error.code.startswith("idempotency_key."):
        # The text is new: so is its key.
        draft = replace(draft, key=new_key())
    return _page(context, replace(draft, error=said), status=status_of(error.code))


def _preview(context: Context) -> Response:
    text = _text_of(context)
    preview = context.clients.notifications.preview(
        channel=_channel_name(context), text=text
    )
    sentence = preview_sentence(preview, context.locale)
    if context.request.wants_json:
        return JsonResponse(body={"sentence": sentence})
    key = context.request.form.get("key")
    return _page(context, Draft(text=text, key=key, preview=sentence))


def _mark_read(context: Context) -> Response:
    channel = _channel_name(context)
    number = context.request.form.number("number") or LAST_NUMBER
    context.clients.messages.mark_read(channel=channel, number=number)
    return RedirectResponse(location=channel_url(channel, latest=1))


def _edit(context: Context) -> Response:
    form = context.request.form
    context.clients.messages.edit(
        message=form.get("message"),
        text=_text_of(context),
        revision=form.number("revision"),
    )
    return _after_change(context)


def _delete(context: Context) -> Response:
    message = context.request.form.get("message")
    context.clients.messages.delete(message=message)
    return _after_change(context)


def _after_change(context: Context) -> Response:
    channel, number = _channel_name(context), context.value("number")
    if not context.request.wants_json:
        return RedirectResponse(location=message_url(channel, number))
    conversation = context.clients.messages.conversation(
        channel=channel, around=number, limit=1
    )
    reader = reader_of(
        context.me, current_channel(conversation, channel), context.locale
    )
    for message in conversation.page.messages:
        if message.number == number:
            return _changed(message_view(message, reader), ())
    raise Refused("message.missing")


# ---- pages and parts of them


def _page(context: Context, draft: Draft, *, status: int = 200) -> Response:
    request, name = context.request, _channel_name(context)
    number = request.path_values.get("number")
    conversation = context.clients.messages.conversation(
        channel=name,
        around=number,
        before=request.query.number("before") if number is None else None,
        after=request.query.number("after") if number is None else None,
        latest="latest" in request.query,
        limit=PAGE_SIZE,
    )
    view = conversation_view(
        conversation, name, context.me, locale=context.locale, target=number
    )
    template = "timeline.html" if request.wants_fragment else "conversation.html"
    values = _page_values(context, view, draft)
    return TemplateResponse(template=template, values=values, status=status)


def _page_values(
    context: Context, view: ConversationView, draft: Draft
) -> dict[str, Any]:
    query = context.request.query
    shown = context.notice.get(OUTCOMES, ())
    return {
        "view": view,
        "draft": replace(draft, key=draft.key or new_key()),
        "outcomes": [Outcome(**values) for values in shown],
        "editing": view.target if "edit" in query else None,
        "deleting": view.target if "delete" in query else None,
    }


def _changed(
    message: MessageView, shown: Sequence[Outcome], *, status: int = 200
) -> Response:
    """Answer a script with the message as it is drawn."""
    return JsonResponse(
        body={
            "id": message.id,
            "number": message.number,
            "revision": message.revision,
            "key": new_key(),
            "day": message.day.isoformat(),
            "day_heading": message.day_heading,
        },
        fragments={
            "html": TemplateResponse(
                template="message.html", values={"message": message, "target": None}
            ),
            "outcomes": TemplateResponse(
                template="outcomes.html", values={"outcomes": shown}
            ),
        },
        status=status,
    )


def _as_posted(
    context: Context, posted: Posted, *, text: str, attachments: Sequence[Attachment]
) -> MessageView:
    """Draw a message from what was sent, without another call."""
    me = context.me
    message = Message(
        id=posted.id,
        channel=posted.channel,
        number=posted.number,
        revision=1,
        author=Author(id=me.id, name=me.name, side=me.side),
        text=text,
        posted_at=posted.posted_at,
        edited_at=None,
        deleted=False,
        attachments=tuple(attachments),
        mentions=tuple(
            MentionMark(
                start=mention.start,
                end=mention.end,
                person=mention.person,
                me=mention.person == me.id,
            )
            for mention in posted.mentions
            if mention.person is not None
        ),
        may=MessageMay(edit=True, delete=True),
    )
    reader = Reader(
        id=me.id,
        side=me.side,
        locale=context.locale,
        partner_name=me.partner_name,
    )
    return message_view(message, reader)


# ---- what requests say


def _channel_name(context: Context) -> str:
    values = context.request.path_values
    if "partner" in values:
        return f"{values['project']}/direct/{values['partner']}"
    return f"{values['project']}/broadcast"


def _text_of(context: Context) -> str:
    """Return the text of a form; browsers send each line break as two characters."""
    return context.request.form.get("text").replace("\r\n", "\n")


def _attachments_of(context: Context, channel: str) -> list[Attachment]:
    """Return what a script has uploaded already, and upload what a form brings.

    Raises:
        Refused: with the name of the file as ``file``.
    """
    found = [_uploaded(value) for value in context.request.form.all("attachment")]
    for file in context.request.files:
        upload = Upload(
            channel=channel, name=file.name, size=file.size, chunks=file.chunks()
        )
        try:
            stored = context.deps.attachments.upload(context.me.id, upload)
        except Refused as refused:
            if refused.code.endswith(".missing"):
                raise
            raise Refused.because(refused.code, file=file.name) from None
        found.append(Attachment(id=stored.id, name=stored.name, size=stored.size))
    return found


def _uploaded(value: str) -> Attachment:
    """Read ``ID SIZE NAME``; size and name are only drawn to the author."""
    id_, _, rest = value.partition(" ")
    size, _, name = rest.partition(" ")
    is_number = size.isascii() and size.isdigit()
    return Attachment(id=id_, name=name, size=int(size[:12]) if is_number else 0)


def _outcome_values(outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": outcome.kind,
        "sentence": outcome.sentence,
        "candidates": list(outcome.candidates),
    }
