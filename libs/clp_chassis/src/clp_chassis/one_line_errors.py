"""End a command with one line for what a person can mistype."""

from collections.abc import Iterator
from contextlib import contextmanager

from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerError

from clp_chassis.reachability import reason_of
from clp_chassis.security.passports import UnusableKey
from clp_chassis.settings import InvalidSettings


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turn wrong folders, files, keys, addresses and ports into an exit with a line.

    An error of the program itself keeps its trace.
    """
    try:
        yield
    except (InvalidSettings, UnusableKey) as error:
        raise SystemExit(str(error)) from None
    except (KombuError, BrokerError) as error:
        raise SystemExit(f"the broker: {reason_of(error)}") from None
    except OverflowError as error:
        # A port above 65535 gets as far as bind().
        raise SystemExit(str(error)) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise SystemExit(f"{place}{error.strerror or reason_of(error)}") from None
