"""``import``: store the records of a file; only what differs is sent.

A run that was interrupted is started again with the same command: what it stored no
longer differs.
"""

from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clp_contracts.client import Clients
from clp_contracts.errors import CallFailed, Refused
from clp_ops.output import print_json, print_line, progress_bar
from clp_ops.record_differences import Difference, differences_of
from clp_ops.record_files import METHODS, MalformedFile, Record, read_records
from clp_ops.tables import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecord:
    """A record that the service refused, with the code and its sentence."""

    record: str
    id: str
    code: str
    sentence: str


@dataclass(slots=True, kw_only=True)
class Report:
    """The records that an import found, stored and was refused."""

    dry_run: bool
    unchanged: int
    differences: list[Difference]
    stored: int = 0
    refused: list[RefusedRecord] = field(default_factory=list)


def import_records(args: Namespace, clp: Clients, console: Console) -> int:
    """Show the differences, and store them unless it is a dry run.

    Returns:
        1 when a record was refused.

    Raises:
        SystemExit: the file is malformed, or a service no longer responds.
    """
    try:
        records = read_records(args.file)
    except MalformedFile as error:
        raise SystemExit(str(error)) from None
    changed = differences_of(clp, records)
    report = Report(
        dry_run=args.dry_run,
        unchanged=len(records) - len(changed),
        differences=[one for changes in changed.values() for one in changes],
    )
    if not args.json:
        _print_differences(report, console)
    if not args.dry_run:
        _store(changed, report, clp, console=console)
    if args.json:
        print_json(console, report)
    else:
        _print_result(report, len(changed), console)
    return 1 if report.refused else 0


def _store(
    changed: Mapping[Record, tuple[Difference, ...]],
    report: Report,
    clp: Clients,
    *,
    console: Console,
) -> None:
    with progress_bar(console, "storing") as progress:
        task = progress.add_task("store", total=len(changed))
        for record in changed:
            try:
                clp.call(METHODS[record.kind], record.request)
            except Refused as refused:
                report.refused.append(_refused(record, refused))
            except CallFailed as failure:
                raise SystemExit(
                    f"{failure}; {report.stored:,} of {len(changed):,} records are"
                    " stored: the same command goes on from there"
                ) from None
            else:
                report.stored += 1
            progress.advance(task)


def _refused(record: Record, refused: Refused) -> RefusedRecord:
    return RefusedRecord(
        record=record.kind, id=record.id, code=refused.code, sentence=refused.sentence
    )


def _print_differences(report: Report, console: Console) -> None:
    if not report.differences:
        return
    table = Table("record", "id", "field", "stored", "in the file")
    for one in report.differences:
        cells = (one.record, one.id, one.field, _shown(one.stored), _shown(one.new))
        table.add_row(*map(printable, cells))
    console.print(table)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def _print_result(report: Report, changed: int, console: Console) -> None:
    if report.refused:
        table = Table("record", "id", "code", "refused because")
        for one in report.refused:
            table.add_row(one.record, Text(one.id), one.code, one.sentence)
        console.print(table)
    as_before = f"{report.unchanged:,} are stored like this already."
    if report.dry_run:
        print_line(console, f"{changed:,} records would change; {as_before}")
    else:
        print_line(
            console, f"{report.stored:,} of {changed:,} records stored; {as_before}"
        )
