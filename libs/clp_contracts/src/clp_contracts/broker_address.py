"""Parse the address of the broker, with its TLS options.

    amqps://user:password@host:5671/vhost?ca=/etc/clp/ca.pem

``amqps`` always verifies the certificate of the broker and its host name, with the
authorities of the file ``ca``, or of the system without one. Nothing disables that.
"""

import ssl
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

SECURE: Final = "amqps"
CA: Final = "ca"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """The address without its query, and its TLS options."""

    url: str
    tls: dict[str, Any] | None

    @classmethod
    def read(cls, address: str) -> Self:
        """Parse an address.

        Raises:
            ValueError: it has unknown parameters, or ``ca`` without TLS.
        """
        url = urlsplit(address)
        parameters = dict(parse_qsl(url.query, keep_blank_values=True))
        authority = parameters.pop(CA, None)
        if parameters:
            unknown = ", ".join(sorted(parameters))
            raise ValueError(f"broker address with unknown parameters: {unknown}")
        if url.scheme != SECURE:
            if authority is not None:
                raise ValueError("a broker address with a ca must begin with amqps")
            return cls(address, None)
        return cls(
            urlunsplit(url._replace(query="")),
            {
                "cert_reqs": ssl.CERT_REQUIRED,
                "ca_certs": authority or None,
                # Without it, any certificate of the authority would be accepted.
                "server_hostname": url.hostname,
            },
        )

    def settings(self) -> dict[str, Any]:
        """Return the settings of Nameko."""
        return {"AMQP_URI": self.url} | ({"AMQP_SSL": self.tls} if self.tls else {})

    @property
    def user(self) -> str:
        """The user name, or ``nobody``; it names what belongs to this user alone."""
        return urlsplit(self.url).username or "nobody"
