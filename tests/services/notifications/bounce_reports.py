"""Shapes of bounces, complaints and automatic replies as mail servers write them.

Each is written here after the format of the named server; `RECIPIENT` is the person the
mail was sent to, and the envelope recipient is filled in by the test.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from clp_notifications.inbound.bounces import BounceEffect
from clp_notifications.inbound.classifier import MailClass

RECIPIENT = "nat@north.example"
OTHER = "sam@south.example"

PERMANENT = BounceEffect.PERMANENT
TEMPORARY = BounceEffect.TEMPORARY
POLICY = BounceEffect.POLICY
FAILED = BounceEffect.MAIL_FAILED
NONE = BounceEffect.NONE
ELSEWHERE = BounceEffect.OTHER_RECIPIENT


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One shape: its name, its text for an envelope recipient, and what it is."""

    name: str
    text: Callable[[str], str]
    kind: MailClass = MailClass.BOUNCE
    result: str


def report(
    status: str,
    *,
    diagnostic: str = "",
    action: str = "failed",
    recipient: str = f"rfc822; {RECIPIENT}",
    more: str = "",
    sender: str = "Mail Delivery System <MAILER-DAEMON@relay.example>",
    subject: str = "Undelivered Mail Returned to Sender",
) -> Callable[[str], str]:
    """A delivery status notification (RFC 3464)."""
    fields = [f"Final-Recipient: {recipient}"]
    if action:
        fields.append(f"Action: {action}")
    if status:
        fields.append(f"Status: {status}")
    if diagnostic:
        fields.append(f"Diagnostic-Code: smtp; {diagnostic}")
    block = "\r\n".join(fields)
    return lambda to: (
        f"Return-Path: <>\r\nFrom: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        '\tboundary="=_report"\r\n\r\n'
        "This is a MIME-encapsulated message.\r\n\r\n--=_report\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
        "I'm sorry to have to inform you that your message could not be delivered.\r\n"
        "\r\n--=_report\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; relay.example\r\nArrival-Date: Mon, 2 Mar 2026\r\n\r\n"
        f"{block}\r\n{more}\r\n--=_report\r\nContent-Type: message/rfc822\r\n\r\n"
        "Subject: [Night Train] Broadcast\r\n\r\nHello\r\n--=_report--\r\n"
    )


def encoded_report(encoding: str, body: bytes) -> Callable[[str], str]:
    """A report whose status part a gateway has encoded."""
    return lambda to: (
        f"From: postmaster@gateway.example\r\nTo: {to}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        "\r\n--b\r\nContent-Type: text/plain\r\n\r\nNot delivered.\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n{body.decode()}\r\n--b--\r\n"
    )


def plain(
    text: str, sender: str = "MAILER-DAEMON@relay.example", **headers: str
) -> Callable[[str], str]:
    """A bounce, or another mail, of a single text."""
    lines = "".join(
        f"{key.replace('_', '-')}: {value}\r\n" for key, value in headers.items()
    )
    body = text.replace("\n", "\r\n")
    return lambda to: f"From: {sender}\r\nTo: {to}\r\n{lines}\r\n{body}\r\n"


STATUS_BLOCK = (
    b"Reporting-MTA: dns; gateway.example\r\n\r\n"
    b"Final-Recipient: rfc822; nat@north.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
)


def international(recipient: str, encoding: str = "8bit") -> Callable[[str], str]:
    """A report on an international address (RFC 6533)."""
    return lambda to: (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@relay.example\r\nTo: {to}\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        "\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNicht zugestellt\r\n"
        "--b\r\nContent-Type: message/global-delivery-status\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
        "Reporting-MTA: dns; relay.example\r\n\r\n"
        f"Final-Recipient: utf-8; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "\r\n--b--\r\n"
    )


def complaint(to: str, kind: str = "abuse", more: str = "") -> bytes:
    """A feedback report (RFC 5965) of a mailbox provider."""
    return (
        f"From: fbl@provider.example\r\nTo: {to}\r\nSubject: complaint\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report;"
        ' report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: X/1\r\nVersion: 1\r\n{more}\r\n--b--\r\n"
    ).encode()


def two_recipients(first: str, second: str) -> Callable[[str], str]:
    """A report on two recipients."""
    return report(
        first,
        recipient=f"rfc822; {OTHER}",
        more=(
            f"\r\nFinal-Recipient: rfc822; {RECIPIENT}\r\nAction: failed\r\n"
            f"Status: {second}\r\n"
        ),
    )


# fmt: off
REPORTS: tuple[Shape, ...] = (
    # delivery status by class
    Shape(
        name="Postfix: user unknown",
        text=report(
            "5.1.1",
            diagnostic="550 5.1.1 <nat@north.example>: Recipient address rejected: User unknown in virtual mailbox table",
        ),
        result=PERMANENT,
    ),
    Shape(
        name="Gmail: account does not exist",
        text=report(
            "5.1.1",
            diagnostic="550-5.1.1 The email account that you tried to reach does not exist. NoSuchUser",
            sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
            subject="Delivery Status Notification (Failure)",
        ),
        result=PERMANENT,
    ),
    Shape(
        name="Exchange Online: recipient not found",
        text=report(
            "5.1.10",
            diagnostic="550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            sender="postmaster@studio.example",
            subject="Undeliverable: [Night Train] Broadcast",
        ),
        result=PERMANENT,
    ),
    Shape(
        name="domain without a mail server",
        text=report("5.1.2", diagnostic="550 5.1.2 Bad destination host"),
        result=PERMANENT,
    ),
    Shape(
        name="address with bad syntax",
        text=report("5.1.3", diagnostic="501 5.1.3 Bad recipient address syntax"),
        result=PERMANENT,
    ),
    Shape(
        name="Yahoo: mailbox disabled",
        text=report("5.2.1", diagnostic="554 5.2.1 This mailbox is disabled"),
        result=PERMANENT,
    ),
    Shape(
        name="Gmail: over quota",
        text=report(
            "5.2.2",
            diagnostic="552 5.2.2 The recipient's inbox is out of storage space",
        ),
        result=TEMPORARY,
    ),
    Shape(
        name="a full mailbox for days",
        text=report("4.2.2", diagnostic="452 4.2.2 Mailbox full"),
        result=TEMPORARY,
    ),
    Shape(
        name="delivery time expired",
        text=report("4.4.7", diagnostic="450 4.4.7 delivery time expired"),
        result=TEMPORARY,
    ),
    Shape(
        name="host not found, try again",
        text=report(
            "4.4.3",
            diagnostic="Host or domain name not found. Name service error, try again",
        ),
        result=TEMPORARY,
    ),
    Shape(
        name="no answer from host",
        text=report(
            "5.4.1", diagnostic="connect to mx.north.example: Connection timed out"
        ),
        result=TEMPORARY,
    ),
    Shape(
        name="mail loop",
        text=report(
            "5.4.6", diagnostic="554 5.4.6 Hop count exceeded - possible mail loop"
        ),
        result=TEMPORARY,
    ),
    Shape(
        name="Gmail: DMARC",
        text=report(
            "5.7.26",
            diagnostic="550-5.7.26 Unauthenticated email is not accepted due to DMARC policy",
        ),
        result=POLICY,
    ),
    Shape(
        name="Outlook: blocklist",
        text=report(
            "5.7.1",
            diagnostic="550 5.7.1 Service unavailable, Client host blocked using Spamhaus",
        ),
        result=POLICY,
    ),
    Shape(
        name="Exchange: not authorized",
        text=report(
            "5.7.133",
            diagnostic="550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup",
        ),
        result=POLICY,
    ),
    Shape(
        name="bad sender address",
        text=report(
            "5.1.7", diagnostic="553 5.1.7 Bad sender's mailbox address syntax"
        ),
        result=POLICY,
    ),
    Shape(
        name="sender domain without a record",
        text=report(
            "5.1.8", diagnostic="553 5.1.8 Domain of sender address does not exist"
        ),
        result=POLICY,
    ),
    Shape(
        name="mail too large",
        text=report("5.3.4", diagnostic="552 5.3.4 Message size exceeds fixed limit"),
        result=FAILED,
    ),
    Shape(
        name="longer than the mailbox takes",
        text=report(
            "5.2.3", diagnostic="550 5.2.3 Message length exceeds administrative limit"
        ),
        result=FAILED,
    ),
    Shape(
        name="no class anywhere",
        text=report("5.0.0", diagnostic="550 rejected"),
        result=FAILED,
    ),
    Shape(name="no status at all", text=report(""), result=FAILED),
    Shape(
        name="the class is in the diagnostic",
        text=report("5.0.0", diagnostic="550 5.1.1 unknown"),
        result=PERMANENT,
    ),
    Shape(
        name="the policy is in the diagnostic",
        text=report(
            "5.0.0",
            diagnostic="554 5.7.1 Message rejected as spam by Content Filtering",
        ),
        result=POLICY,
    ),
    Shape(
        name="no action, status of class 5",
        text=report("5.1.1", action=""),
        result=PERMANENT,
    ),
    Shape(
        name="no action, status of class 4",
        text=report("4.2.1", action=""),
        result=TEMPORARY,
    ),
    Shape(
        name="a warning that it is delayed",
        text=report(
            "4.4.1",
            action="delayed",
            subject="Warning: could not send message for past 4 hours",
        ),
        result=TEMPORARY,
    ),
    Shape(
        name="delivered",
        text=report(
            "2.1.5", action="delivered", subject="Successful Mail Delivery Report"
        ),
        result=NONE,
    ),
    Shape(
        name="relayed to a server without reports",
        text=report("2.0.0", action="relayed (to non-DSN-aware mailer)"),
        result=NONE,
    ),
    Shape(
        name="expanded to a list", text=report("2.0.0", action="expanded"), result=NONE
    ),
    Shape(
        name="Sendmail: comment after the status",
        text=report("5.1.1 (permanent failure)"),
        result=PERMANENT,
    ),
    Shape(
        name="upper case and spaces",
        text=report("5.1.1", recipient=f"RFC822 ;  <{RECIPIENT.upper()}> "),
        result=PERMANENT,
    ),
    Shape(
        name="about somebody else",
        text=report("5.1.1", recipient=f"rfc822; {OTHER}"),
        result=ELSEWHERE,
    ),
    Shape(
        name="forwarded, with the original recipient",
        text=report(
            "5.1.1",
            recipient="rfc822; nat@elsewhere.example",
            more=f"Original-Recipient: rfc822;{RECIPIENT}\r\n",
        ),
        result=PERMANENT,
    ),
    Shape(
        name="forwarded, without the original recipient",
        text=report("5.1.1", recipient="rfc822; nat@elsewhere.example"),
        result=ELSEWHERE,
    ),
    Shape(
        name="two recipients, each with its own status",
        text=two_recipients("5.1.1", "4.2.2"),
        result=TEMPORARY,
    ),
    Shape(
        name="X.400 recipient",
        text=report("5.1.1", recipient="x400; /G=Nat/S=Moreau/"),
        result=NONE,
    ),
    # encodings
    Shape(
        name="status part in base64",
        text=encoded_report("base64", base64.encodebytes(STATUS_BLOCK)),
        result=PERMANENT,
    ),
    Shape(
        name="status part in quoted-printable",
        text=encoded_report(
            "quoted-printable", STATUS_BLOCK.replace(b"nat@", b"nat=40")
        ),
        result=PERMANENT,
    ),
    Shape(
        name="international report",
        text=international("nat@north.example"),
        result=PERMANENT,
    ),
    Shape(
        name="international report, escaped letters",
        text=international(r"n\x{61}t@north.example"),
        result=PERMANENT,
    ),
    Shape(
        name="international report, somebody else",
        text=international(r"d\x{61}na@b\x{FC}cher.example"),
        result=ELSEWHERE,
    ),
    Shape(
        name="bare line feeds",
        text=lambda to: report("5.1.1")(to).replace("\r\n", "\n"),
        result=PERMANENT,
    ),
    # older formats
    Shape(
        name="qmail",
        text=plain(
            f"Hi. This is the qmail-send program at relay.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; Sorry it didn't work out.\n\n<{RECIPIENT}>:\n198.51.100.7 does not like recipient.\nRemote host said: 550 5.1.1 unknown user\n\n--- Below this line is a copy of the message.\n",
            subject="failure notice",
        ),
        result=PERMANENT,
    ),
    Shape(
        name="qmail without a class",
        text=plain(
            f"Hi. This is the qmail-send program at relay.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; Sorry it didn't work out.\n\n<{RECIPIENT}>:\nSorry, no mailbox here by that name.\n\n--- Below this line is a copy of the message.\n",
            subject="failure notice",
        ),
        result=FAILED,
    ),
    Shape(
        name="Exim",
        text=plain(
            f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {RECIPIENT}\n    SMTP error from remote mail server after RCPT TO: 550 5.1.1 No such user\n",
            X_Failed_Recipients=RECIPIENT,
            subject="Mail delivery failed: returning message to sender",
        ),
        result=PERMANENT,
    ),
    Shape(
        name="Exim, mailbox full",
        text=plain(
            f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {RECIPIENT}\n    552 5.2.2 mailbox is full\n",
            X_Failed_Recipients=RECIPIENT,
        ),
        result=TEMPORARY,
    ),
    Shape(
        name="Exchange 5.5",
        text=plain(
            f"Your message\n\n  To:      {RECIPIENT}\n  Subject: [Night Train] Broadcast\n\ndid not reach the following recipient(s):\n\n{RECIPIENT} on Mon, 2 Mar 2026 11:30:00 -0000\n    The recipient name is not recognized\n",
            sender="System Administrator <postmaster@north.example>",
            X_Mailer="Internet Mail Service (5.5.2653.19)",
        ),
        result=FAILED,
    ),
    Shape(
        name="a daemon without any address",
        text=plain("Your mail could not be delivered."),
        result=NONE,
    ),
    # no bounces
    Shape(
        name="out of office with the header",
        text=plain(
            "I am away until Monday. Your message could not be delivered to me.",
            sender=RECIPIENT,
            Auto_Submitted="auto-replied",
            subject="Automatic reply: [Night Train] Broadcast",
        ),
        kind=MailClass.AUTOMATIC_REPLY,
        result="ignored",
    ),
    Shape(
        name="out of office by its subject",
        text=plain(
            "I am away.",
            sender=RECIPIENT,
            subject="Out of Office: [Night Train] Broadcast",
        ),
        kind=MailClass.AUTOMATIC_REPLY,
        result="ignored",
    ),
    Shape(
        name="vacation program",
        text=plain(
            "I am away.", sender=RECIPIENT, Precedence="auto_reply", subject="away"
        ),
        kind=MailClass.AUTOMATIC_REPLY,
        result="ignored",
    ),
    Shape(
        name="a read receipt",
        text=lambda to: (
            f"From: {RECIPIENT}\r\nTo: {to}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nread\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822; {RECIPIENT}\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n"
        ),
        kind=MailClass.AUTOMATIC_REPLY,
        result="ignored",
    ),
    Shape(
        name="an answer of a person",
        text=plain(
            "Thanks, 550 5.1.1 is fixed.",
            sender=RECIPIENT,
            subject="Re: [Night Train] Broadcast",
        ),
        kind=MailClass.OTHER,
        result="ignored",
    ),
)
# fmt: on
