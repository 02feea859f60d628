"""Where the broker is, and how to be sure that it is the one.

    amqps://user:password@host:5671/vhost?ca=/etc/clp/ca.pem

An address that begins with ``amqps`` is only ever talked to over TLS, with a
certificate that is valid for its host name and signed by an authority of ``ca``, or of
the system where none is named. There is no way to ask for less.
"""

import ssl
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

SECURE: Final = "amqps"
CA: Final = "ca"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """An address as the framework takes it: without a query, beside its TLS options."""

    url: str
    tls: dict[str, Any] | None

    @classmethod
    def read(cls, address: str) -> Self:
        """Read an address.

        Raises:
            ValueError: when it asks for something that this does not know.
        """
        parts = urlsplit(address)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        authority = asked.pop(CA, None)
        if asked:
            raise ValueError(f"a broker address knows no {', '.join(sorted(asked))}")
        if parts.scheme != SECURE:
            if authority is not None:
                raise ValueError("a broker address with a ca begins with amqps")
            return cls(address, None)
        return cls(
            urlunsplit(parts._replace(query="")),
            {
                "cert_reqs": ssl.CERT_REQUIRED,
                "ca_certs": authority or None,
                # Without a name to compare, any certificate of the authority would do.
                "server_hostname": parts.hostname,
            },
        )

    def settings(self) -> dict[str, Any]:
        """What the framework reads."""
        return {"AMQP_URI": self.url} | ({"AMQP_SSL": self.tls} if self.tls else {})

    @property
    def user(self) -> str:
        """Who logs in there; the name of what belongs to that user alone."""
        return urlsplit(self.url).username or "nobody"
