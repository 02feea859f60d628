"""Measure the cost of a message in a whole system: CPU of each process, rows, bytes.

python -m bench.growth --messages 200 --readers 10

Start everything as `make up` does, post to a direct channel whose partner has READERS
followers, wait until every mail is sent, and print the constants of
`docs/operations/scaling.md`. CPU is what the processes used; an equal number of
messages warms everything up beforehand.
"""

import os
import sys
import time
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from clp_suite.sample_data import CastMember, put_cast
from clp_suite.server_process import server_directory
from tests.deploy.running import UpSystem, until
from tests.support.command_line import command_parser

MESSAGES, READERS = 200, 10
WORDS = "The proposal for episode three is on its way and needs a look before Friday. "
TICKS = os.sysconf("SC_CLK_TCK")
TIMEOUT_S = 600.0


def main() -> None:
    """Measure and print."""
    parser = command_parser()
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--readers", type=int, default=READERS)
    args = parser.parse_args()
    messages, readers = args.messages, args.readers
    with server_directory() as folder, UpSystem(folder / "up") as up:
        prepare(up, readers)
        post(up, messages, "warm")
        settled(up, messages * readers)
        before, spent = sizes(up), cpu(up)
        began = time.monotonic()
        post(up, messages, "measured")
        posted_s = time.monotonic() - began
        settled(up, 2 * messages * readers)
        passed_s = time.monotonic() - began
        used = {name: cpu(up)[name] - spent[name] for name in spent}
        report(messages, readers, (posted_s, passed_s), used)
        report_sizes(messages, before, sizes(up))


def prepare(up: UpSystem, readers: int) -> None:
    directory = up.service("directory")
    followers = tuple(
        CastMember(f"r{n}", f"Reader {n}", "north") for n in range(readers)
    )
    put_cast(directory, (CastMember("ivy", "Ivy Lane"), *followers))
    directory.projects.put_project(id="p1", title="Night Train")
    directory.projects.assign_partner(project="p1", partner="north")
    for follower in followers:
        up.person(follower.id).projects.follow(project="p1")


def post(up: UpSystem, messages: int, kind: str) -> None:
    ivy = up.person("ivy")
    for number in range(messages):
        text = WORDS * 3
        ivy.messages.post(channel="p1/direct/north", text=text, key=f"{kind}-{number}")


def settled(up: UpSystem, recipients: int) -> None:
    """Wait until every recipient was told; several messages may share a mail (rule 40)."""
    sent = "select count(*) from notifications where state = 'sent'"
    until(lambda: query_row(up, "notifications", sent)[0] >= recipients, TIMEOUT_S)
    ivy = up.person("ivy")
    until(lambda: ivy.search.find(query="proposal", project="p1").hits, TIMEOUT_S)


def cpu(up: UpSystem) -> dict[str, float]:
    """Return the CPU seconds of each process, with those that it started."""
    return {name: sum(map(_cpu_of, _family(pid))) for name, pid in up.pids.items()} | {
        name: sum(map(_cpu_of, _named(up, program)))
        for name, program in (("RabbitMQ", "beam.smp"), ("PostgreSQL", "postgres"))
    }


def _named(up: UpSystem, program: str) -> list[int]:
    return [pid for pid in up.family() if _program(pid) == program]


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    own = (
        [int(child) for child in children.read_text().split()]
        if children.exists()
        else []
    )
    return [pid, *(one for child in own for one in _family(child))]


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # Its own time, and that of ended children.
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) / TICKS


def query_row(up: UpSystem, service: str, query: str) -> tuple[int, ...]:
    url = make_url(up.address(f"CLP_{service.upper()}_DATABASE_URL"))
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        found = connection.execute(query.encode()).fetchone()
    return tuple(found or ())


def sizes(up: UpSystem) -> dict[str, tuple[int, int]]:
    """Return the rows and bytes, indexes included, of each database."""
    found: dict[str, tuple[int, int]] = {}
    for service in ("messages", "notifications"):
        rows = "select coalesce(sum(n_live_tup), 0)::bigint from pg_stat_user_tables"
        weight = (
            "select sum(pg_total_relation_size(relid))::bigint from pg_stat_user_tables"
        )
        query_row(up, service, "select pg_stat_force_next_flush()")
        found[service] = (
            query_row(up, service, rows)[0],
            query_row(up, service, weight)[0],
        )
    index = sum(
        path.stat().st_size for path in (up.data / "index").rglob("*") if path.is_file()
    )
    return found | {"index": (0, index)}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def report(
    messages: int, readers: int, times: tuple[float, float], used: dict[str, float]
) -> None:
    say(f"{messages} messages to {readers} followers each, posted one by one")
    say(f"  posted in {times[0]:.1f} s, everybody told in {times[1]:.1f} s")
    say("  CPU for one message, in ms:")
    for name, seconds in sorted(used.items()):
        say(f"    {name:<18}{1000 * seconds / messages:8.2f}")


def report_sizes(
    messages: int,
    before: dict[str, tuple[int, int]],
    after: dict[str, tuple[int, int]],
) -> None:
    for name, (rows, weight) in after.items():
        grown_rows, grown = rows - before[name][0], weight - before[name][1]
        say(
            f"  {name:<14}{grown_rows / messages:8.2f} rows{grown / messages:10.0f} bytes a message"
        )


if __name__ == "__main__":
    main()
