"""Send the same mails with Django: ``python -m bench.mail_peers PEER URL PORT COUNT``.

It runs in an environment of its own, ``build/peers``, without a package of ours.

PEER is ``django``, which sends over one open connection and commits after each mail, or
``post_office``. Both read their mails from rows in the PostgreSQL at URL, render text
and HTML from compiled templates, and send to the relay at PORT of the loopback. One
line of JSON reports mails, seconds and seconds of processor time.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import django
from django.conf import settings

from bench.mail_texts import person_id, text_for

TEXT: Final = """{{ author }} wrote in {{ project }}, Broadcast, {{ when }}:

{{ text }}

{{ link }}

You get this mail because you were mentioned.
To stop mails about this project: {{ stop }}
"""
HTML: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="color-scheme" content="light dark"><title>{{ project }}</title></head>
<body style="font-family: sans-serif; color: #222"><p style="margin: 0 0 12px">
<b>{{ author }}</b> wrote in {{ project }}, Broadcast, {{ when }}:</p>
<blockquote style="border-left: 3px solid #999; padding-left: 12px">
{{ text|linebreaksbr }}</blockquote><p><a href="{{ link }}">Open the conversation</a></p>
<p style="color: #666">You get this mail because you were mentioned.
<a href="{{ stop }}">Stop mails about this project</a></p></body></html>
"""
LINK: Final = "https://clp.example/p1/broadcast/7"
STOP: Final = "https://clp.example/-/unsubscribe/" + "k" * 43
SENDER: Final = "CLP Communications <notifications@clp.example>"


def configure(url: str, port: int) -> None:
    """Configure Django with its own tables and post_office in a database."""
    found = urlsplit(url)
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": found.path.lstrip("/"),
                "USER": found.username,
                "PASSWORD": found.password,
                "HOST": found.hostname,
                "PORT": found.port,
            }
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        EMAIL_BACKEND="post_office.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        POST_OFFICE={
            "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
            "BATCH_SIZE": 1000,
            "THREADS_PER_PROCESS": 1,
            "LOG_LEVEL": 1,
        },
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates"},
            {
                "BACKEND": "post_office.template.backends.post_office."
                "PostOfficeTemplates",
                "NAME": "post_office",
                "OPTIONS": {},
            },
        ],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
    )
    django.setup()


def headers(number: int) -> dict[str, str]:
    """Return the headers a notification needs for mail programs."""
    return {
        "Message-ID": f"<n.{number}.{time.time_ns()}@clp.example>",
        "In-Reply-To": "<c.p1.broadcast@clp.example>",
        "References": "<c.p1.broadcast@clp.example>",
        "List-Id": "Night Train <broadcast.p1.clp.example>",
        "List-Unsubscribe": f"<{STOP}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "Precedence": "list",
    }


def words(number: int) -> dict[str, str]:
    """Return the values that the templates show."""
    return {
        "author": "Ivy Lane",
        "project": "Night Train",
        "when": "1 March 2026, 12:00 UTC",
        "text": text_for(number),
        "link": LINK,
        "stop": STOP,
    }


def _rows(count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        address = f"{person_id(n)}@north.example"
        yield {"number": n, "address": address, "text": text_for(n)}


def by_django(count: int) -> Callable[[], None]:
    """Send in a loop as most code has it: rows, templates, one open connection."""
    from django.core.mail import EmailMultiAlternatives, get_connection
    from django.db import connection, models
    from django.template import Context, Template

    class Row(models.Model):
        number = models.IntegerField()
        address = models.TextField()
        text = models.TextField()
        state = models.CharField(max_length=16, db_index=True)
        sent_at = models.DateTimeField(null=True)

        class Meta:
            app_label = "post_office"
            db_table = f"bench_rows_{time.time_ns()}"

    with connection.schema_editor() as editor:
        editor.create_model(Row)
    Row.objects.bulk_create(Row(**row, state="due") for row in _rows(count))
    text, html = Template(TEXT), Template(HTML)

    def run() -> None:
        from django.utils import timezone

        line = get_connection("django.core.mail.backends.smtp.EmailBackend")
        line.open()
        for row in Row.objects.filter(state="due").order_by("id").iterator():
            shown = Context(words(row.number) | {"text": row.text})
            mail = EmailMultiAlternatives(
                "[Night Train] Broadcast",
                text.render(shown),
                SENDER,
                [row.address],
                headers=headers(row.number),
                connection=line,
            )
            mail.attach_alternative(html.render(shown), "text/html")
            mail.send()
            row.state, row.sent_at = "sent", timezone.now()
            row.save(update_fields=["state", "sent_at"])
        line.close()

    return run


def by_post_office(count: int) -> Callable[[], None]:
    """Send with the queue of post_office: its rows, templates and sending."""
    from django.core.management import call_command
    from post_office import mail
    from post_office.models import Email, EmailTemplate

    call_command("migrate", verbosity=0)
    Email.objects.all().delete()
    EmailTemplate.objects.all().delete()
    template = EmailTemplate.objects.create(
        name="mention",
        subject="[Night Train] Broadcast",
        content=TEXT,
        html_content=HTML,
    )
    mail.send_many(
        [
            {
                "recipients": [f"{person_id(n)}@north.example"],
                "sender": SENDER,
                "template": template,
                "context": words(n),
                "headers": headers(n),
                "render_on_delivery": True,
            }
            for n in range(count)
        ]
    )

    def run() -> None:
        while mail.get_queued().exists():
            mail.send_queued(processes=1, log_level=1)

    return run


def main(who: str, url: str, port: int, count: int) -> dict[str, Any]:
    """Prepare the rows, then measure the time to send them."""
    configure(url, port)
    run = {"django": by_django, "post_office": by_post_office}[who](count)
    began, worked = time.perf_counter(), time.process_time()
    run()
    return {
        "mails": count,
        "wall": time.perf_counter() - began,
        "cpu": time.process_time() - worked,
    }


if __name__ == "__main__":
    told = main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.write(json.dumps(told) + "\n")
