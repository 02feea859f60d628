"""More shapes of bounces and automatic replies: by server, and as gateways damage them."""

import base64
from collections.abc import Callable

from clp_notifications.inbound.classifier import MailClass
from tests.services.notifications.bounce_reports import (
    ELSEWHERE,
    FAILED,
    NONE,
    OTHER,
    PERMANENT,
    POLICY,
    RECIPIENT,
    STATUS_BLOCK,
    TEMPORARY,
    Shape,
    encoded_report,
    plain,
    report,
)

REPORT_TYPE = 'multipart/report; report-type=delivery-status; boundary="b"'
ABOUT = f"Final-Recipient: rfc822; {RECIPIENT}\n"
UNKNOWN = f"{ABOUT}Action: failed\nStatus: 5.1.1\n"


def mail(
    block: str,
    *,
    headers: str = "",
    mta: str = "Reporting-MTA: dns; relay.example\n\n",
    part: str = "message/delivery-status",
    content: str = REPORT_TYPE,
    copy: str = "Content-Type: message/rfc822\n\nSubject: [Night Train] Broadcast\n\nHi",
) -> Callable[[str], str]:
    """A report of three parts; ``headers`` are those in which a server differs."""
    return lambda to: (
        f"From: Mail Delivery System <MAILER-DAEMON@relay.example>\nTo: {to}\n"
        f"{headers}MIME-Version: 1.0\nContent-Type: {content}\n\n"
        f"--b\nContent-Type: text/plain\n\nNot delivered.\n\n--b\nContent-Type: {part}\n\n"
        f"{mta}{block}\n--b\n{copy}\n--b--\n"
    ).replace("\n", "\r\n")


def wrapped(inner: Callable[[str], str], headers: str = "") -> Callable[[str], str]:
    """A report to which a gateway added a disclaimer."""

    def text(to: str) -> str:
        head, _, body = inner(to).partition("\r\n\r\n")
        content = "Content-Type:" + head.partition("Content-Type:")[2]
        return (
            f"From: postmaster@gateway.example\r\nTo: {to}\r\n{headers}"
            'Content-Type: multipart/mixed; boundary="outer"\r\n\r\n'
            f"--outer\r\n{content}\r\n\r\n{body}\r\n"
            "--outer\r\nContent-Type: text/plain\r\n\r\nA disclaimer\r\n--outer--\r\n"
        )

    return text


def away(
    subject: str, text: str = "I am away.", **headers: str
) -> Callable[[str], str]:
    """An answering machine's reply, with the null return path of RFC 3834."""
    return plain(
        text, sender=f"Nat <{RECIPIENT}>", Return_Path="<>", Subject=subject, **headers
    )


def encoded(text: str, charset: str = "utf-8") -> str:
    """An encoded word (RFC 2047)."""
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


EXIM = (
    "This message was created automatically by mail delivery software.\n\n"
    "A message that you sent could not be delivered to one or more of its\n"
    "recipients. This is a permanent error. The following address(es) failed:\n\n"
    f"  {RECIPIENT}\n    "
)
QMAIL = (
    "Hi. This is the qmail-send program at relay.example.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    f"This is a permanent error. Sorry it didn't work out.\n\n<{RECIPIENT}>:\n"
)
COPY = "\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <b@clp.example>\n"

# fmt: off
SERVERS: tuple[Shape, ...] = (
    Shape(name="Exim 4.9", text=mail(f"Action: failed\n{ABOUT}Status: 5.0.0\nRemote-MTA: dns; mx.north.example\nDiagnostic-Code: smtp; 550-5.1.1 No such user\n", headers=f"X-Failed-Recipients: {RECIPIENT}\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\n"), result=PERMANENT),
    Shape(name="Exim 4.7, which says auto-replied", text=plain(f"{EXIM}SMTP error from remote mail server after RCPT TO:<{RECIPIENT}>:\n    host mx.north.example [192.0.2.1]: 550 5.1.1 User unknown", X_Failed_Recipients=RECIPIENT, Auto_Submitted="auto-replied", Subject="Mail delivery failed: returning message to sender"), result=PERMANENT),
    Shape(name="Exim 4.7 without a class", text=plain(f"{EXIM}Unrouteable address", X_Failed_Recipients=RECIPIENT, Auto_Submitted="auto-replied"), result=FAILED),
    Shape(name="Exim 4.7 about somebody else", text=plain(EXIM.replace(RECIPIENT, OTHER), X_Failed_Recipients=OTHER, Auto_Submitted="auto-replied"), result=ELSEWHERE),
    Shape(name="Exim, an address that only the header has", text=plain("Ihre Nachricht konnte nicht zugestellt werden: 550 5.1.1", X_Failed_Recipients=f"{OTHER}, {RECIPIENT}", Auto_Submitted="auto-replied"), result=PERMANENT),
    Shape(name="Exim, a warning after a day", text=plain(f"This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue\n\n  {RECIPIENT}\n", Auto_Submitted="auto-replied", Subject="Warning: message 1aBcDe-000000-00 delayed 24 hours"), kind=MailClass.AUTOMATIC_REPLY, result="ignored"),
    Shape(name="Sendmail 8", text=mail(f"Final-Recipient: RFC822; {RECIPIENT}\nAction: failed\nStatus: 5.1.1\nRemote-MTA: DNS; mx.north.example\nDiagnostic-Code: SMTP; 550 5.1.1 <{RECIPIENT}>... User unknown\nLast-Attempt-Date: Mon, 2 Mar 2026 12:00:00 GMT\n", headers="Auto-Submitted: auto-generated (failure)\nSubject: Returned mail: see transcript for details\n", mta="Reporting-MTA: dns; relay.example\nReceived-From-MTA: DNS; clp.example\nArrival-Date: Mon, 2 Mar 2026 11:59:00 GMT\n\n"), result=PERMANENT),
    Shape(name="Sendmail 8, a warning after four hours", text=mail(f"Final-Recipient: RFC822; {RECIPIENT}\nAction: delayed\nStatus: 4.2.0\nDiagnostic-Code: SMTP; 450 4.2.0 greylisted\nWill-Retry-Until: Sat, 7 Mar 2026 12:00:00 GMT\n", headers="Auto-Submitted: auto-generated (warning-timeout)\n"), result=TEMPORARY),
    Shape(name="Exchange 2019", text=mail(f"Final-Recipient: rfc822;{RECIPIENT}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found\nX-Display-Name: Nat Moreau\n", headers=f"Subject: {encoded('Unzustellbar: [Night Train] Broadcast')}\nX-MS-Exchange-Message-Is-Ndr:\nIn-Reply-To: <n.1@clp.example>\n", mta="Reporting-MTA: dns;exchange.north.example\n\n"), result=PERMANENT),
    Shape(name="Exchange Online: access denied at the edge", text=mail(f"{ABOUT}Action: failed\nStatus: 5.4.1\nDiagnostic-Code: smtp;550 5.4.1 Recipient address rejected: Access denied. AS(201806281)\n"), result=TEMPORARY),
    Shape(name="Exchange Online: tenant blocked", text=mail(f"{ABOUT}Action: failed\nStatus: 5.7.708\nDiagnostic-Code: smtp;550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP\n"), result=POLICY),
    Shape(name="Exchange Online: mailbox full", text=mail(f"{ABOUT}Action: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp;554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException\n"), result=TEMPORARY),
    Shape(name="Gmail: delay", text=mail(f"{ABOUT}Action: delayed\nStatus: 4.4.1\nDiagnostic-Code: smtp; The recipient server did not accept our requests to connect.\nWill-Retry-Until: Wed, 4 Mar 2026 12:00:00 -0800 (PST)\n", headers=f"X-Failed-Recipients: {RECIPIENT}\nAuto-Submitted: auto-replied\nSubject: Delivery Status Notification (Delay)\n"), result=TEMPORARY),
    Shape(name="Gmail: mailbox inactive", text=mail(f"{ABOUT}Action: failed\nStatus: 5.2.1\nDiagnostic-Code: smtp; 550-5.2.1 The email account that you tried to reach is inactive.\n"), result=PERMANENT),
    Shape(name="Amazon SES", text=mail(f"Action: failed\nFinal-Recipient: rfc822; {RECIPIENT}\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\nStatus: 5.1.1\n", headers="Message-ID: <0100018e@email.amazonses.example>\n", mta="Reporting-MTA: dsn; a8-31.smtp-out.amazonses.example\n\n", content='multipart/report; boundary="b"; report-type=delivery-status'), result=PERMANENT),
    Shape(name="Amazon SES: suppression list", text=mail(f"{ABOUT}Action: failed\nStatus: 5.1.1\nDiagnostic-Code: Amazon SES did not send the message because the address is on the suppression list\n"), result=PERMANENT),
    Shape(name="Postmark: no class", text=mail(f"{ABOUT}Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;550 Requested action not taken: mailbox unavailable\n"), result=FAILED),
    Shape(name="Yahoo: account disabled", text=mail(f"{ABOUT}Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 554 30 Sorry, your message cannot be delivered. This mailbox is disabled (554.30)\n"), result=FAILED),
    Shape(name="Yahoo: deferred until it expired", text=mail(f"{ABOUT}Action: failed\nStatus: 4.7.0\nDiagnostic-Code: smtp; 421 4.7.0 [TSS04] Messages temporarily deferred\n"), result=TEMPORARY),
    Shape(name="Zimbra", text=mail(f"{ABOUT}Original-Recipient: rfc822;{RECIPIENT}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: x-postfix; unknown user\n", mta="Reporting-MTA: dns; mail.north.example\nX-Postfix-Queue-ID: 4F2A\nX-Postfix-Sender: rfc822; b@bounce.clp.example\n\n", copy="Content-Description: Undelivered Message Headers\nContent-Type: text/rfc822-headers\n\nSubject: x"), result=PERMANENT),
    Shape(name="Domino", text=mail(f"Final-Recipient: rfc822;{RECIPIENT}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: X-Notes; User nat ({RECIPIENT}) not listed in Domino Directory\n", headers="Subject: DELIVERY FAILURE: User nat not listed in Domino Directory\n"), result=PERMANENT),
    Shape(name="Courier", text=mail(f"Original-Recipient: rfc822;{RECIPIENT}\n{ABOUT}Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 User unknown.\n"), result=FAILED),
    Shape(name="iCloud: local policy", text=mail(f"{ABOUT}Action: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 554 5.7.1 [HM07] Message rejected due to local policy\n"), result=POLICY),
    Shape(name="qmail with its status in brackets", text=plain(f"{QMAIL}Sorry, no mailbox here by that name. (#5.1.1){COPY}", Return_Path="<>", Subject="failure notice"), result=PERMANENT),
    Shape(name="qmail, too long in its queue", text=plain(f"{QMAIL}Connected to 192.0.2.1 but connection died. (#4.4.2)\nI'm not going to try again; this message has been in the queue too long.{COPY}", Subject="failure notice"), result=TEMPORARY),
    Shape(name="qmail, and a version number in the copy", text=plain(f"{QMAIL}Sorry, no mailbox here by that name.{COPY}\nPlease use ffmpeg 5.1.2 (5.1.2 or later)\n", Subject="failure notice"), result=FAILED),
    Shape(name="qmail, and a version number in a quotation", text=plain(f"{QMAIL}Remote host said: 550 no\n> Re: (#5.1.1) is fixed\n", Subject="failure notice"), result=FAILED),
    Shape(name="qmail after many empty lines", text=plain("\n" * 40_000 + f"{QMAIL}Sorry, no mailbox here by that name. (#5.1.1)", Subject="failure notice"), result=PERMANENT),
    Shape(name="qmail in base64 after many empty lines", text=plain(base64.encodebytes(("\n" * 40_000 + f"{QMAIL}Sorry, no mailbox here by that name. (#5.1.1)\n").encode()).decode(), Subject="failure notice", Content_Type="text/plain; charset=utf-8", Content_Transfer_Encoding="base64"), result=PERMANENT),
    Shape(name="qmail in base64", text=plain(base64.encodebytes(f"{QMAIL}Sorry, no mailbox here by that name. (#5.1.1)\n".encode()).decode(), Subject="failure notice", Content_Type="text/plain; charset=utf-8", Content_Transfer_Encoding="base64"), result=PERMANENT),
    Shape(name="a bounce of a mail about a project with an odd title", text=plain(f"{QMAIL}Sorry, no mailbox here by that name. (#5.1.1)", Subject="Undelivered: [Out of Office] Broadcast"), result=PERMANENT),
)
DAMAGED: tuple[Shape, ...] = (
    Shape(name="only the original recipient", text=mail(f"Original-Recipient: rfc822;{RECIPIENT}\nAction: failed\nStatus: 5.1.1\n"), result=PERMANENT),
    Shape(name="an original recipient in xtext", text=mail("Original-Recipient: rfc822;nat+40north.example\nFinal-Recipient: rfc822; nat@elsewhere.example\nAction: failed\nStatus: 5.1.1\n"), result=PERMANENT),
    Shape(name="a recipient without its type", text=mail(f"Final-Recipient: <{RECIPIENT}>\nAction: failed\nStatus: 5.1.1\n"), result=PERMANENT),
    Shape(name="a recipient of another type", text=mail(f"Final-Recipient: SMTP;{RECIPIENT}\nAction: failed\nStatus: 5.1.1\n"), result=PERMANENT),
    Shape(name="a recipient with a comment", text=mail(f"Final-Recipient: rfc822; {RECIPIENT} (Nat Moreau)\nAction: failed\nStatus: 5.1.1\n"), result=PERMANENT),
    Shape(name="folded fields", text=mail(f"Final-Recipient:\n rfc822;\n\t{RECIPIENT}\nAction:\n failed\nStatus:\n 5.1.1\n"), result=PERMANENT),
    Shape(name="upper case everywhere", text=mail(UNKNOWN.upper(), part="MESSAGE/DELIVERY-STATUS", content='MULTIPART/REPORT; REPORT-TYPE=DELIVERY-STATUS; BOUNDARY="b"'), result=PERMANENT),
    Shape(name="blanks around the parameters", text=mail(UNKNOWN, content='multipart/report ; report-type = "delivery-status" ;\n boundary = "b"'), result=PERMANENT),
    Shape(name="cut after the status", text=lambda to: mail(UNKNOWN)(to).partition("--b\r\nContent-Type: message/rfc822")[0], result=PERMANENT),
    Shape(name="cut inside base64", text=encoded_report("BASE64", base64.encodebytes(STATUS_BLOCK + b"X-More: y\r\n")[:-3]), result=PERMANENT),
    Shape(name="a status part called text", text=mail(UNKNOWN, part="text/plain; charset=us-ascii"), result=PERMANENT),
    Shape(name="a status part called a file", text=mail(UNKNOWN, part='application/octet-stream; name="details.txt"'), result=PERMANENT),
    Shape(name="a report in a mail with a disclaimer", text=wrapped(mail(UNKNOWN)), result=PERMANENT),
    Shape(name="a status part called text in a mail with a disclaimer", text=wrapped(mail(UNKNOWN, part="text/plain")), result=PERMANENT),
    Shape(name="no empty line before the recipient", text=mail(UNKNOWN, mta="Reporting-MTA: dns; relay.example\n"), result=PERMANENT),
    Shape(name="a line of blanks between two recipients", text=mail(f"{UNKNOWN.replace(RECIPIENT, OTHER)} \t\n{ABOUT}Action: failed\nStatus: 5.2.2\n"), result=TEMPORARY),
    Shape(name="no line between two recipients", text=mail(f"{UNKNOWN.replace(RECIPIENT, OTHER)}{ABOUT}Action: failed\nStatus: 5.2.2\n"), result=TEMPORARY),
    Shape(name="delivered, while another failed", text=mail(f"{UNKNOWN.replace(RECIPIENT, OTHER)}\n{ABOUT}Action: delivered\nStatus: 2.0.0\n"), result=NONE),
    Shape(name="failed, while others were expanded and relayed", text=mail(f"Final-Recipient: rfc822; {OTHER}\nAction: expanded\nStatus: 2.0.0\n\nFinal-Recipient: rfc822; list@south.example\nAction: relayed\nStatus: 2.0.0\n\n{UNKNOWN}"), result=PERMANENT),
    Shape(name="delayed and then failed", text=mail(f"{ABOUT}Action: delayed\nStatus: 4.2.2\n\n{UNKNOWN}"), result=PERMANENT),
    Shape(name="no action, status of class 2", text=mail(f"{ABOUT}Status: 2.0.0\n"), result=NONE),
    Shape(name="no status, and a temporary reply", text=mail(f"{ABOUT}Action: failed\nDiagnostic-Code: smtp; 450 try again later\n"), result=TEMPORARY),
    Shape(name="a status that ends with a dot", text=mail(f"{ABOUT}Action: failed\nStatus: 5.1.1.\n"), result=PERMANENT),
    Shape(name="words after the action", text=mail(f"{ABOUT}Action: failed; no further attempts\nStatus: 5.1.1\n"), result=PERMANENT),
    Shape(name="the mail is in the report, and speaks of a status", text=mail(f"{ABOUT}Action: failed\nStatus: 5.0.0\n", copy="Content-Type: message/rfc822\n\nSubject: x\n\nStatus: 5.1.1"), result=FAILED),
)
REPLIES: tuple[Shape, ...] = (
    *(Shape(name=f"away: {subject}", text=away(encoded(subject)), kind=MailClass.AUTOMATIC_REPLY, result="ignored") for subject in (
        "Réponse automatique : [Night Train] Broadcast", "自動応答: [Night Train] Broadcast", "رد تلقائي: [Night Train] Broadcast",
        "Automatische Antwort: [Night Train] Broadcast", "Abwesenheitsnotiz: [Night Train] Broadcast", "Respuesta automática: [Night Train] Broadcast",
        "Risposta automatica: [Night Train] Broadcast", "Resposta automática: [Night Train] Broadcast", "자동 회신: [Night Train] Broadcast",
        "自动答复: [Night Train] Broadcast", "Автоматический ответ: [Night Train] Broadcast", "Re: Out of the office: [Night Train] Broadcast",
        "부재중: [Night Train] Broadcast", "Odpowiedź automatyczna: [Night Train] Broadcast", "Trả lời tự động: [Night Train] Broadcast",
    )),
    Shape(name="away, in ISO-2022-JP", text=away(encoded("自動返信", "iso-2022-jp")), kind=MailClass.AUTOMATIC_REPLY, result="ignored"),
    Shape(name="X-Autoreply", text=away("Re: [Night Train] Broadcast", X_Autoreply="yes"), kind=MailClass.AUTOMATIC_REPLY, result="ignored"),
    Shape(name="X-Autorespond", text=away("Re: [Night Train] Broadcast", X_Autorespond="vacation"), kind=MailClass.AUTOMATIC_REPLY, result="ignored"),
    Shape(name="X-Autoresponder", text=away("Re: [Night Train] Broadcast", X_Autoresponder="1"), kind=MailClass.AUTOMATIC_REPLY, result="ignored"),
    Shape(name="vacation with a quoted report", text=away("Re: [Night Train] Broadcast", f"I am away.\n\n> {QMAIL}> 550 5.1.1 unknown", Auto_Submitted="auto-replied"), kind=MailClass.AUTOMATIC_REPLY, result="ignored"),
    Shape(name="an unknown answering machine that quotes a report", text=away("Poissa", f"Olen poissa.\n\n{QMAIL}Sorry, no mailbox here by that name. (#5.1.1)"), result=NONE),
    Shape(name="a person who forwards a report", text=lambda to: f"From: {RECIPIENT}\r\nTo: {to}\r\nSubject: Fwd: Undelivered\r\nContent-Type: multipart/mixed; boundary=\"o\"\r\n\r\n--o\r\nContent-Type: text/plain\r\n\r\nSee below\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n{report('5.1.1')(to)}\r\n--o--\r\n", kind=MailClass.OTHER, result="ignored"),
)
# fmt: on
SERVER_REPORTS = (*SERVERS, *DAMAGED, *REPLIES)
