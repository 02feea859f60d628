"""Settings of both process types of `notifications`."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from ``CLP_NOTIFICATIONS_…``, or ``CLP_…`` where services share a value.

    ``smtp_url`` is ``maildir:///folder``, ``smtp://host:port``, ``smtps://…`` or
    ``smtp+starttls://…``, with ``user:password@`` where the relay requires a login.
    ``secret`` authenticates bounce addresses; a new one invalidates those of mails
    already sent. Links begin with ``base_url``; this service's ``http_address`` serves
    those below ``/-/unsubscribe/``. ``language`` (BCP 47) and ``time_zone`` are the
    defaults of readers. Without ``mail_content`` no mail shows texts, whatever its
    reader chose.

    Tickets are mailed to ``help_address``; without one none can be submitted.
    Mail to ``bounce_domain`` is read from ``bounce_dir``, a Maildir.
    """

    secret: str
    database_url: str = "sqlite:///notifications.db"
    http_address: str = "127.0.0.1:8001"
    http_address_file: str = ""
    smtp_url: str = "smtp://127.0.0.1:25"
    base_url: str = "https://clp.example"
    mail_domain: str = "clp.example"
    bounce_domain: str = "bounce.clp.example"
    bounce_dir: str = ""
    sender_name: str = "CLP Communications"
    studio_name: str = "the studio"
    mail_window_s: float = 60.0
    mention_window_s: float = 10.0
    digest_hour: int = 7
    max_mails_per_hour: int = 12
    max_mention_mails_per_hour: int = 30
    language: str = "en"
    time_zone: str = "UTC"
    help_address: str = ""
    mail_content: bool = True
    mention_routing: str = "replaces"
    mail_connections: int = 16
    recheck_lease_s: float = 0.5
    lease_s: float = 60.0
    poll_s: float = 1.0
    smtp_timeout_s: float = 30.0
