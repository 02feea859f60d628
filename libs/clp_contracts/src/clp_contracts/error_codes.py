"""The append-only list of refusal codes, each with a sentence for people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # reasons of clp_core
        "project.missing": "There is no such project for you.",
        "channel.missing": "There is no such channel for you.",
        "message.missing": "There is no such message for you.",
        "person.missing": "There is no such person.",
        "broadcast.internal_only": "Only the studio posts to a broadcast channel.",
        "message.not_yours": "Only the author may change this message.",
        "message.deleted": "This message was deleted.",
        "text.empty": "A message needs a text or an attachment.",
        "text.too_long": "The text is longer than a message may be.",
        "text.malformed": "The text holds characters that no message may hold.",
        "idempotency_key.malformed": "An idempotency key has 1 to 128 characters.",
        "idempotency_key.reused": "The idempotency key was used for another message.",
        "mention.too_many": "The text mentions more people than one message may.",
        "attachment.missing": "There is no such attachment for you.",
        "attachment.empty": "An empty file cannot be attached.",
        "attachment.too_large": "The file is larger than an attachment may be.",
        "attachment.too_many": "The message has more attachments than it may.",
        "attachment.name_unsafe": "This file name cannot be made safe; rename it.",
        "attachment.type_refused": "Files of this type cannot be attached.",
        "attachment.content_mismatch": "The content of the file contradicts its name.",
        # refusals of an RPC or HTTP entrypoint
        "request.malformed": "The arguments of the call are malformed.",
        "passport.missing": "The call carries no passport.",
        "passport.refused": "The passport is not valid here and now.",
        "passport.wrong_kind": "The method does not accept this kind of passport.",
        "partner.missing": "There is no such partner.",
        "address.malformed": "This is not a mail address that mail can be sent to.",
        "name.malformed": "This name is empty, too long or not one line.",
        "query.empty": "A search needs at least one word or filter.",
        "query.too_long": "The query is longer than a search may be.",
        "query.too_expensive": "This search takes too much work; use fewer words.",
        "cursor.malformed": "The page cursor is not one of this search.",
        "announcement.malformed": "The announcement lacks a fact its kind needs.",
        "announcement.reused": "The idempotency key was used for another announcement.",
        "notification.missing": "There is no such notification.",
        "service.failed": "The service failed; look for the incident in its log.",
        "service.unavailable": "The service did not respond in time; try again.",
        # refusals of HTTP entrypoints
        "path.missing": "There is nothing at this address.",
        "verb.refused": "This address does not support this HTTP method.",
        "body.broken": "The body ended early or is not what its headers say.",
        "body.too_slow": "The body did not arrive in time.",
        "range.outside": "The file has no such range of bytes.",
        "language.malformed": "This is not a language tag (BCP 47).",
        "announcement.missing": "There is no such announcement.",
        "attachment.pending": "The file is still being checked; try again soon.",
        "attachment.infected": "The file was found to be harmful and was removed.",
        "attachment.quota_spent": "No more files can be uploaded today.",
        "attachment.partner_quota_spent": "The files of your partner take all the space"
        " that they may; delete some first.",
        "address.not_suppressed": "Mail to this address is not suppressed.",
        "message.changed": "The message was changed meanwhile; read it again.",
        "change.missing": "There is no such dead letter.",
        "calls.too_many": "Too many of your calls are waiting; try again later.",
        "ticket.missing": "There is no such ticket for you.",
        "ticket.malformed": "A field of the ticket is missing or too long.",
        "ticket.too_many": "Too many of your tickets are open.",
        "help.closed": "No support address is set up here.",
        "portal.closed": "The portal is not open to you.",
        "side.missing": "Name the partner of a person, or say that they are internal.",
        "side.unconfirmed": "Name the partner that the person moved from.",
        "method.missing": "The service has no such method.",
        "title.malformed": "This title is empty, too long or not one line.",
        "incoming_mail.missing": "There is no such dead incoming mail.",
    }
)
# Their sentences end with the limit, which a deployment sets.
NAMING_LIMIT: Final = frozenset({"attachment.partner_quota_spent"})
# The names that the detail of a refusal always has: its limit, its list, what is wrong.
DETAILS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "text.too_long": ("max_characters",),
        "text.malformed": ("character",),
        "idempotency_key.malformed": ("max_characters",),
        "mention.too_many": ("max_people", "people"),
        "attachment.too_large": ("max_bytes",),
        "attachment.too_many": ("files", "max_files"),
        "attachment.type_refused": ("extensions",),
        "attachment.content_mismatch": ("detected",),
        "attachment.quota_spent": ("max_bytes", "max_files", "scope"),
        "attachment.partner_quota_spent": ("max_bytes",),
        "passport.wrong_kind": ("kinds",),
        "query.too_long": ("max_characters",),
        "query.too_expensive": ("max_steps",),
        "calls.too_many": ("max_per_second",),
        "address.malformed": ("max_bytes",),
        "language.malformed": ("languages",),
        "announcement.malformed": ("kinds", "required"),
        "ticket.malformed": ("fields",),
        "ticket.too_many": ("max_tickets",),
        "side.unconfirmed": ("partner",),
        "method.missing": ("method",),
        "range.outside": ("size",),
        "verb.refused": ("verbs",),
    }
)
