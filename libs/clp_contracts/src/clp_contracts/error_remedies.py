"""The remedy of each refusal code, for a caller."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ID: Final = (
    "Check the id, and that this person may see it: missing and hidden look the same."
)
_SHORTEN: Final = "Shorten it to the limit that the detail names."
_AGAIN: Final = "Repeat the call with the same idempotency key, after a pause."
_FIELDS: Final = "Correct the fields that the detail names."
_NEW_KEY: Final = "Use a new key for new content; replay the old one unchanged."

REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "project.missing": _ID,
        "channel.missing": _ID,
        "message.missing": _ID,
        "person.missing": "Store the person first.",
        "broadcast.internal_only": "Post to the direct channel instead.",
        "message.not_yours": "Let the author, or somebody of the studio, do it.",
        "message.deleted": "Post a new message.",
        "text.empty": "Write a text, or attach a file.",
        "text.too_long": _SHORTEN,
        "text.malformed": "Leave out the characters that the detail names.",
        "idempotency_key.malformed": "Send a key of 1 to 128 characters.",
        "idempotency_key.reused": _NEW_KEY,
        "mention.too_many": "Mention fewer people, or post several messages.",
        "attachment.missing": "Check the id; only its uploader can post a file,"
        " within an hour.",
        "attachment.empty": "Upload a file with content.",
        "attachment.too_large": "Send a file within the limit that the detail names.",
        "attachment.too_many": "Post the other files with a second message.",
        "attachment.name_unsafe": "Rename the file without the named character.",
        "attachment.type_refused": "Convert the file to one of the listed types.",
        "attachment.content_mismatch": "Give the file the extension of its content.",
        "request.malformed": _FIELDS,
        "passport.missing": "Send a passport as the header `nameko.auth_token`.",
        "passport.refused": "Issue a new one: for this service, with a trusted key.",
        "passport.wrong_kind": "Call as one of those that the detail names.",
        "partner.missing": "Store the partner first.",
        "address.malformed": "Correct the mail address.",
        "name.malformed": "Send a name of one line.",
        "query.empty": "Send a word or a filter.",
        "query.too_long": _SHORTEN,
        "query.too_expensive": "Use fewer words, or longer beginnings of words.",
        "cursor.malformed": "Begin at the first page.",
        "announcement.malformed": "Add the fact that the detail names.",
        "announcement.reused": _NEW_KEY,
        "notification.missing": "List the dead notifications again.",
        "service.failed": "Tell the operators the incident of the detail.",
        "service.unavailable": _AGAIN,
        "path.missing": "Correct the address.",
        "verb.refused": "Use a method of the `Allow` header.",
        "body.broken": "Send the whole body, with its true length.",
        "body.too_slow": "Upload again over a faster connection.",
        "range.outside": "Request a range within the file.",
        "language.malformed": "Send a language tag such as `fr` or `pt-BR`.",
        "announcement.missing": "Check the id.",
        "attachment.pending": "Try again in some seconds.",
        "attachment.infected": "Clean the file and upload it again.",
        "attachment.quota_spent": "Upload tomorrow, or ask the operators.",
        "attachment.partner_quota_spent": "Delete messages with files, or ask the"
        " operators.",
        "address.not_suppressed": "Nothing: mail is delivered to it.",
        "message.changed": "Read the message and edit its present revision.",
        "change.missing": "List the dead letters again.",
        "calls.too_many": "Wait for your calls before you make more.",
        "ticket.missing": _ID,
        "ticket.malformed": _FIELDS,
        "ticket.too_many": "Wait until support has closed some.",
        "help.closed": "Ask the operators to set a support address.",
        "portal.closed": "Ask the studio for access.",
        "side.missing": "Send `partner`, or `internal`.",
        "side.unconfirmed": "Send `moved_from` with the former partner.",
        "method.missing": "Update the service, or call a method of the list.",
        "title.malformed": "Send a title of one line.",
        "incoming_mail.missing": "List the dead incoming mails again.",
    }
)
