"""``person``, ``partner``, ``project``, ``assign``, ``withdraw``, ``passport``."""

from argparse import Namespace
from typing import Any

from rich.console import Console

from clp_contracts import projects
from clp_contracts.client import Clients
from clp_contracts.methods import PassportKind
from clp_contracts.projects import Stored
from clp_ops.connections import PEOPLE, Environ, issuer_of
from clp_ops.output import print_json, print_line


def person(args: Namespace, clp: Clients, console: Console) -> int:
    """Store the whole record of a person."""
    request = projects.PutPerson(
        id=args.id,
        name=args.name,
        email=args.email,
        partner=args.partner,
        internal=args.internal,
        moved_from=args.moved_from,
        roles=tuple(args.role or ()),
        active=not args.inactive,
        language=args.language,
        time_zone=args.time_zone,
    )
    return _print(args, console, clp.call(projects.PUT_PERSON, request))


def partner(args: Namespace, clp: Clients, console: Console) -> int:
    """Store a partner."""
    return _print(args, console, clp.projects.put_partner(id=args.id, name=args.name))


def project(args: Namespace, clp: Clients, console: Console) -> int:
    """Store a project."""
    return _print(args, console, clp.projects.put_project(id=args.id, title=args.title))


def assign(args: Namespace, clp: Clients, console: Console) -> int:
    """Assign a partner to a project."""
    stored = clp.projects.assign_partner(
        project=args.project, partner=args.partner, languages=args.languages
    )
    return _print(args, console, stored)


def withdraw(args: Namespace, clp: Clients, console: Console) -> int:
    """Withdraw a partner; its access has ended when this returns."""
    stored = clp.projects.withdraw_partner(project=args.project, partner=args.partner)
    return _print(args, console, stored)


def passport(args: Namespace, environ: Environ, console: Console) -> int:
    """Print a passport of a person for one service, made without any call."""
    issuer = issuer_of(PEOPLE, args, environ)
    token = issuer.issue(args.person, PassportKind.PERSON, audience=args.service)
    content: Any = {"person": args.person, "service": args.service, "passport": token}
    if args.json:
        print_json(console, content)
    else:
        print_line(console, token)
    return 0


def _print(args: Namespace, console: Console, stored: Stored) -> int:
    if args.json:
        print_json(console, stored)
    elif stored.changed:
        print_line(console, f"{stored.id} is stored.")
    else:
        print_line(console, f"{stored.id} was stored like this before.")
    return 0
