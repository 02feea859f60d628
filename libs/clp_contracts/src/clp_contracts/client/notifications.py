"""Typed client of `notifications`."""

from clp_contracts import feed, notifications
from clp_contracts.client.rpc_client import RpcClient
from clp_contracts.serialization import Empty, Items, items


class Notifications:
    """Typed client of `notifications`."""

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call

    def explain(
        self,
        *,
        message: str,
        person: str | None = None,
        language: str | None = None,
        time_zone: str | None = None,
    ) -> notifications.MessageExplanation:
        """Explain who was told of a message and why (rule 25)."""
        request = notifications.GetExplanation(
            message=message, person=person, language=language, time_zone=time_zone
        )
        return self._call(notifications.EXPLAIN, request)

    def preview(self, *, channel: str, text: str = "") -> notifications.Preview:
        """Preview whom a draft would reach (rule 47)."""
        request = notifications.GetPreview(channel=channel, text=text)
        return self._call(notifications.PREVIEW, request)

    def mail_settings(
        self,
        *,
        project: str | None = None,
        mode: str | None = None,
        content: bool | None = None,
    ) -> notifications.MailSettings:
        """Read the actor's mail settings, or change some."""
        request = notifications.UpdateMailSettings(
            project=project, mode=mode, content=content
        )
        return self._call(notifications.MAIL_SETTINGS, request)

    def submit_ticket(self, ticket: notifications.SubmitTicket) -> notifications.Ticket:
        """Ask for help; the ticket is mailed to the support address (rule 52)."""
        return self._call(notifications.SUBMIT_TICKET, ticket)

    def my_tickets(self) -> notifications.MyTickets:
        """List the actor's tickets, newest first."""
        return self._call(notifications.MY_TICKETS, Empty())

    def tickets(
        self, *, after: str | None = None, limit: int = 100
    ) -> notifications.Tickets:
        """List everybody's tickets, newest first; services only."""
        request = notifications.ListTickets(after=after, limit=limit)
        return self._call(notifications.TICKETS, request)

    def close_ticket(self, *, ticket: str) -> notifications.Ticket:
        """Close a ticket; services only."""
        request = notifications.TicketRef(ticket=ticket)
        return self._call(notifications.CLOSE_TICKET, request)

    def dead(
        self, *, after: str | None = None, limit: int = 100
    ) -> notifications.DeadNotifications:
        """List notifications that failed for good; services only."""
        request = notifications.ListDead(after=after, limit=limit)
        return self._call(notifications.DEAD, request)

    def redrive(self, *, notification_ids: Items[str] = ()) -> notifications.Redriven:
        """Make failed notifications due again; services only."""
        request = notifications.Redrive(notification_ids=items(notification_ids))
        return self._call(notifications.REDRIVE, request)

    def suppressions(
        self, *, after: str | None = None, limit: int = 100
    ) -> notifications.Suppressions:
        """List suppressed mail addresses; services only."""
        request = notifications.ListSuppressions(after=after, limit=limit)
        return self._call(notifications.SUPPRESSIONS, request)

    def delete_suppression(self, *, address: str) -> notifications.SuppressionDeleted:
        """Deliver mails to a suppressed address again; services only."""
        return self._call(
            notifications.DELETE_SUPPRESSION,
            notifications.DeleteSuppression(address=address),
        )

    def dead_incoming(
        self, *, after: str | None = None, limit: int = 100
    ) -> notifications.DeadIncoming:
        """List incoming mails that could not be handled; services only."""
        request = notifications.ListDeadIncoming(after=after, limit=limit)
        return self._call(notifications.DEAD_INCOMING, request)

    def show_dead_incoming(
        self, *, incoming_mail: str
    ) -> notifications.DeadIncomingShown:
        """Show the header of a dead incoming mail; services only."""
        request = notifications.IncomingMailRef(incoming_mail=incoming_mail)
        return self._call(notifications.SHOW_DEAD_INCOMING, request)

    def redrive_incoming(
        self, *, incoming_mail_ids: Items[str] = ()
    ) -> notifications.Redriven:
        """Handle dead incoming mails once more; services only."""
        request = notifications.RedriveIncoming(
            incoming_mail_ids=items(incoming_mail_ids)
        )
        return self._call(notifications.REDRIVE_INCOMING, request)

    def discard_incoming(
        self, *, incoming_mail_ids: Items[str]
    ) -> notifications.Discarded:
        """Delete dead incoming mails; services only."""
        request = notifications.DiscardIncoming(
            incoming_mail_ids=items(incoming_mail_ids)
        )
        return self._call(notifications.DISCARD_INCOMING, request)

    def progress(self) -> feed.Progress:
        """Report the progress of the service; services only."""
        return self._call(notifications.PROGRESS, Empty())

    def dead_letters(self, *, after: int = 0, limit: int = 100) -> feed.DeadLetters:
        """List dead letters; services only."""
        return self._call(
            notifications.DEAD_LETTERS, feed.ListDeadLetters(after=after, limit=limit)
        )

    def redrive_dead_letter(self, *, position: int) -> feed.DeadLetterRedriven:
        """Apply a dead letter once more; services only."""
        return self._call(
            notifications.REDRIVE_DEAD_LETTER, feed.RedriveDeadLetter(position=position)
        )
