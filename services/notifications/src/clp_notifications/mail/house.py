"""Who we are in a mail: names, domains and where the links lead."""

from dataclasses import dataclass
from urllib.parse import quote

from clp_core.channels import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The sending side, the same in every mail of a deployment."""

    base_url: str
    mail_domain: str
    bounce_domain: str
    sender_name: str
    studio_name: str

    def channel_link(self, channel: Channel) -> str:
        """Where a channel is read."""
        return f"{self.base_url}/{channel.name}"

    def message_link(self, channel: Channel, number: int) -> str:
        """Where a message is read."""
        return f"{self.base_url}/{channel.name}/{number}"

    def file_link(self, attachment: str) -> str:
        """Where a file is asked for; access is asked again there (H17)."""
        return f"{self.base_url}/attachments/{quote(attachment, safe='')}"

    def stop_link(self, token: str) -> str:
        """Where mails about a project are stopped, without a login (H7)."""
        return f"{self.base_url}/mail/stop/{token}"
