"""What an operator sets for `notifications`, both process types."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from ``CLP_NOTIFICATIONS_…``, or ``CLP_…`` where services share a value.

    ``mail_url`` is ``maildir:///folder``, ``smtp://host:port``, ``smtps://…`` or
    ``smtp+starttls://…``, with ``user:password@`` where the relay asks for one.
    ``secret`` seals unsubscribe links and bounce addresses; another one makes the links
    of mails already sent worthless. Links lead to ``base_url``; what is below its
    ``/mail/`` belongs to this service's ``http_address``. ``language`` (BCP 47) and
    ``time_zone`` are those of readers of whom none is known. With ``mail_content`` off
    no mail shows what was written, whatever its reader chose.

    What comes back to ``bounce_domain`` is looked for in ``bounce_dir``, a Maildir.
    """

    secret: str
    database_url: str = "sqlite:///notifications.db"
    http_address: str = "127.0.0.1:8001"
    http_address_file: str = ""
    mail_url: str = "smtp://127.0.0.1:25"
    base_url: str = "https://clp.example"
    mail_domain: str = "clp.example"
    bounce_domain: str = "bounce.clp.example"
    bounce_dir: str = ""
    sender_name: str = "CLP Communications"
    studio_name: str = "the studio"
    window_s: float = 60.0
    daily_hour_utc: int = 7
    most_mails_an_hour: int = 12
    language: str = "en"
    time_zone: str = "UTC"
    mail_content: bool = True
    mention_routing: str = "replaces"
    mail_connections: int = 16
    mail_hold_s: float = 0.5
    mail_fresh_s: float = 0.1
    lease_s: float = 60.0
    poll_s: float = 1.0
    relay_timeout_s: float = 30.0
