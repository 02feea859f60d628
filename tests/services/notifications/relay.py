"""A scripted SMTP server that keeps what it accepted.

Every connection runs in a thread of its own. What it does not find in the script it
answers as a friendly server would.
"""

import base64
import contextlib
import hmac
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

CUT: Final = b"<the line is cut>"
SILENCE: Final = b"<nothing is said>"
KEPT_AND_CUT: Final = b"<the mail is kept and the line is cut>"
SAID_AND_CUT: Final = b"<it is said that the mail is kept, and the line is cut>"
EXTENSIONS: Final = ("PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8")
FRIENDLY: Final = {
    "CONNECT": b"220 relay.example ESMTP",
    "MAIL": b"250 2.1.0 go on",
    "RCPT": b"250 2.1.5 go on",
    "DATA": b"354 go on",
    "END": b"250 2.0.0 kept",
    "RSET": b"250 2.0.0 forgotten",
    "QUIT": b"221 2.0.0 bye",
    "STARTTLS": b"454 4.7.0 not now",
}


@dataclass(frozen=True)
class Kept:
    """A mail that was accepted."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


@dataclass
class ScriptedRelay:
    """Listens on a port of its own while it is used as a context."""

    script: dict[str, list[bytes]] = field(default_factory=dict)
    extensions: tuple[str, ...] = EXTENSIONS
    piece: int = 1 << 16
    kept: list[Kept] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    # Passwords by user, where a login is offered (AUTH among the extensions).
    logins: dict[str, str] = field(default_factory=dict)
    # What the line is encrypted with after STARTTLS was answered with 220.
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        # Wake waiting threads before the socket closes and its descriptor is reused.
        for one in (self._listener, *self._lines):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._lines.append(line)
            serving = threading.Thread(target=self._serve, args=(line,), daemon=True)
            self._threads.append(serving)
            serving.start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, StopIteration), line:
            _Conversation(self, line).run()

    def reply(self, moment: str) -> bytes:
        """The scripted reply for this command, or the usual one."""
        script = self.script.get(moment, [])
        if script:
            return script.pop(0)
        if moment == "EHLO":
            names = ("relay.example", *self.extensions)
            return b"\r\n".join(
                f"250{' ' if name == names[-1] else '-'}{name}".encode()
                for name in names
            )
        return FRIENDLY.get(moment, b"500 5.5.2 what")


class _Conversation:
    def __init__(self, relay: ScriptedRelay, line: socket.socket) -> None:
        self._relay = relay
        self._line = line
        self._lines = _lines(line)
        self._sender = ""
        self._recipients: list[str] = []
        self._is_ending = False

    def run(self) -> None:
        self._say("CONNECT")
        while True:
            text = next(self._lines).decode()
            self._relay.commands.append(text)
            verb = text.split(" ")[0].split(":")[0].upper()
            self._apply(verb, text)

    def _apply(self, verb: str, text: str) -> None:
        if verb == "AUTH" and not self._relay.script.get(verb):
            self._log_in(text)
            return
        code = self._say(verb)
        if verb == "MAIL":
            self._sender, self._recipients = _address(text), []
        elif verb == "RCPT" and code == b"2":
            self._recipients.append(_address(text))
        elif verb == "DATA" and code == b"3":
            self._take_data()
        elif verb == "STARTTLS" and code == b"2" and self._relay.tls is not None:
            self._line = self._relay.tls.wrap_socket(self._line, server_side=True)
            self._lines = _lines(self._line)
        elif verb == "QUIT":
            raise StopIteration

    def _log_in(self, text: str) -> None:
        """RFC 4954 with three mechanisms; passwords are in UTF-8."""
        _, mechanism, *initial = text.split(" ")
        if mechanism == "PLAIN":
            _, user, password = _decoded(initial[0]).split("\0")
            is_right = self._relay.logins.get(user) == password
        elif mechanism == "LOGIN":
            user, password = (self._challenge(one) for one in (b"User", b"Password"))
            is_right = self._relay.logins.get(user) == password
        else:
            user, _, digest = self._challenge(b"<1@relay>").rpartition(" ")
            password = self._relay.logins.get(user, "")
            right = hmac.digest(password.encode(), b"<1@relay>", "md5").hex()
            is_right = digest == right
        self._write(b"235 2.7.0 welcome" if is_right else b"535 5.7.8 no such login")

    def _challenge(self, text: bytes) -> str:
        self._write(b"334 " + base64.b64encode(text))
        return _decoded(next(self._lines).decode())

    def _take_data(self) -> None:
        lines = []
        for line in self._lines:
            if line == b".":
                break
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        else:
            return  # the line ended before the mail did
        kept = Kept(self._sender, tuple(self._recipients), b"\r\n".join([*lines, b""]))
        if self._say("END") == b"2" and self._recipients:
            self._relay.kept.append(kept)
        if self._is_ending:
            self._line.close()
            raise StopIteration

    def _say(self, moment: str) -> bytes:
        reply = self._relay.reply(moment)
        if reply in {KEPT_AND_CUT, SAID_AND_CUT}:
            self._is_ending = True
            if reply == KEPT_AND_CUT:
                return b"2"
            reply = FRIENDLY[moment]
        if reply == CUT:
            self._line.close()
            raise StopIteration
        if reply == SILENCE:
            return b""
        self._write(reply)
        return reply[:1]

    def _write(self, reply: bytes) -> None:
        whole = reply + b"\r\n"
        for start in range(0, len(whole), self._relay.piece):
            self._line.sendall(whole[start : start + self._relay.piece])


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def _address(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]


def _lines(line: socket.socket) -> Iterator[bytes]:
    held = b""
    while True:
        while b"\r\n" in held:
            one, _, held = held.partition(b"\r\n")
            yield one
        got = line.recv(1 << 16)
        if not got:
            return
        held += got
