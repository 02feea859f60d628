"""Settings of both process types of `notifications`."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from clp_chassis.setting_kinds import (
    ADDRESS,
    DOMAIN,
    LANGUAGE,
    LEASE,
    MAIL_ADDRESS,
    SECONDS,
    TIME_ZONE,
    WEB,
    Kind,
    between,
    one_of,
)
from clp_chassis.settings import DatabaseUrl, HttpAddressFile, ProcessSettings, Setting
from clp_core.routing import MentionRouting

RELAY_SCHEME: Final = re.compile(r"(smtps?|smtp\+starttls|maildir)://", re.IGNORECASE)
# A password may hold what no other URL may (`SmtpRelay.from_url`).
RELAY: Final = Kind(
    "smtps://USER:PASSWORD@HOST:PORT?ca=FILE (or smtp+starttls://, smtp://) with"
    " `%`, and `:` in the user, percent-encoded; or maildir:///FOLDER",
    lambda text: bool(RELAY_SCHEME.match(text)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """From ``CLP_NOTIFICATIONS_…``, or ``CLP_…`` for those of every process."""

    secret: Annotated[
        str,
        Setting(
            "authenticates bounce addresses; a new one invalidates those of mails"
            " already sent",
            is_secret=True,
        ),
    ]
    database_url: DatabaseUrl
    http_address: Annotated[
        str, Setting("where the unsubscribe pages are served", ADDRESS)
    ] = "127.0.0.1:8001"
    http_address_file: HttpAddressFile = ""
    smtp_url: Annotated[
        str, Setting("the relay that mails are sent to", RELAY, is_secret=True)
    ] = "smtp://127.0.0.1:25"
    base_url: Annotated[str, Setting("the base of links in mails", WEB)] = (
        "https://clp.example"
    )
    mail_domain: Annotated[
        str, Setting("the domain of the sender and of Message-IDs", DOMAIN)
    ] = "clp.example"
    bounce_domain: Annotated[
        str, Setting("the domain of the envelope sender", DOMAIN)
    ] = "bounce.clp.example"
    bounce_dir: Annotated[
        str, Setting("the Maildir of incoming mail; empty: none is read")
    ] = ""
    sender_name: Annotated[str, Setting("the display name of the sender")] = (
        "CLP Communications"
    )
    studio_name: Annotated[str, Setting("how mails to partners name the studio")] = (
        "the studio"
    )
    mail_window_s: Annotated[
        float,
        Setting("how long mails of a channel are batched; 0: not at all", SECONDS, "s"),
    ] = 60.0
    mention_window_s: Annotated[
        float,
        Setting(
            "how long mentions of a channel are batched; 0: not at all", SECONDS, "s"
        ),
    ] = 10.0
    digest_hour: Annotated[
        int,
        Setting(
            "the hour at which daily digests are due, in the reader's time zone",
            between(0, 23),
        ),
    ] = 7
    max_mails_per_hour: Annotated[
        int,
        Setting(
            "mails to one person about one project in an hour, the rest is a digest;"
            " 0: no limit",
            between(0),
        ),
    ] = 12
    max_mention_mails_per_hour: Annotated[
        int, Setting("the same for mention mails", between(0))
    ] = 30
    language: Annotated[
        str, Setting("of readers whose record names none", LANGUAGE)
    ] = "en"
    time_zone: Annotated[
        str, Setting("of readers whose record names none", TIME_ZONE)
    ] = "UTC"
    help_address: Annotated[
        str,
        Setting("where tickets are mailed; empty: none can be submitted", MAIL_ADDRESS),
    ] = ""
    mail_content: Annotated[
        bool, Setting("whether mails show texts; false: none, whatever readers choose")
    ] = True
    mention_routing: Annotated[
        str,
        Setting(
            "whether a mention replaces the mails to followers",
            one_of(*MentionRouting),
        ),
    ] = "replaces"
    mail_connections: Annotated[
        int,
        Setting(
            "connections to the relay, for each of two batches of a worker",
            between(1, 1000),
        ),
    ] = 16
    recheck_lease_s: Annotated[
        float,
        Setting(
            "how long a recheck is valid; ending an access waits as long", LEASE, "s"
        ),
    ] = 0.5
    lease_s: Annotated[
        float,
        Setting(
            "how long a worker has a mail before others may claim it",
            between(1),
            "s",
        ),
    ] = 60.0
    poll_s: Annotated[
        float,
        Setting(
            "how long a worker idles at most when nothing wakes it",
            between(0.001, 3600),
            "s",
        ),
    ] = 1.0
    smtp_timeout_s: Annotated[
        float,
        Setting("how long the relay may take for one mail", between(0.1, 3600), "s"),
    ] = 30.0
