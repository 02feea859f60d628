"""The image and the compose file: valid, complete, and replayed without an engine."""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
import venv
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from clp_chassis.settings import read_whole_environment
from clp_deploy.__main__ import main as deploy
from clp_deploy.database_roles import DATABASES, migration_of
from clp_deploy.keys import HOLDERS
from clp_deploy.processes import PROCESS_TYPES
from clp_deploy.secret_files import FOLDERS, write_secret_folders
from clp_suite.entrypoint import command_of
from tests.deploy.conftest import RefusalOf

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose" / "compose.yaml"
BIN = Path(sys.executable).parent
SERVERS = {"rabbitmq", "postgresql", "smtp-sink", "prepare"}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, lines joined."""
    lines = [
        line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")
    ]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [
        (verb, rest)
        for line in joined.splitlines()
        if line.strip()
        for verb, _, rest in [line.partition(" ")]
    ]


def steps(program: str) -> list[str]:
    """The arguments of the last RUN that calls a pip command."""
    (*_, found) = (
        step
        for verb, rest in instructions()
        if verb == "RUN"
        for step in rest.split("&&")
        if f"pip {program} " in step
    )
    return shlex.split(found.partition(f"pip {program} ")[2])


# ---- the image


def test_the_dockerfile_has_no_known_weakness() -> None:
    result = subprocess.run(
        [BIN / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, "")


def test_the_image_runs_unprivileged_with_a_health_check() -> None:
    verbs = dict(instructions())
    assert verbs["USER"] == "10001:10001"
    assert "/live" in verbs["HEALTHCHECK"]
    assert "clp_suite.entrypoint" in verbs["ENTRYPOINT"]


def test_the_image_holds_every_member() -> None:
    built = {
        Path(name.partition("[")[0]) for name in steps("wheel") if name.startswith("./")
    }
    members = {
        path.parent.relative_to(ROOT)
        for pattern in ("libs/*", "services/*", "tools/*")
        for path in ROOT.glob(f"{pattern}/pyproject.toml")
    }
    assert built == members


def members_state() -> str:
    """A hash of every source of the wheels."""
    state = hashlib.sha256()
    for folder in ("libs", "services", "tools"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                state.update(path.relative_to(ROOT).as_posix().encode())
                state.update(path.read_bytes())
    return state.hexdigest()[:16]


@pytest.fixture(scope="module")
def wheels() -> Path:
    """The first stage replayed, cached until a member changes."""
    folder = ROOT / "build" / f"wheels-{members_state()}"
    for older in set(folder.parent.glob("wheels-*")) - {folder}:
        shutil.rmtree(older)
    if not (folder / "complete").exists():
        names = [name for name in steps("wheel") if name.startswith("./")]
        plain = [name.partition("[")[0] for name in names]
        command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps"]
        command += ["--no-build-isolation", "--wheel-dir", str(folder), *plain]
        subprocess.run(command, cwd=ROOT, check=True)
        (folder / "complete").touch()
    return folder


@pytest.fixture(scope="module")
def image(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second stage replayed: an environment with our wheels and no sources.

    Third-party packages come from this environment, installed by the constraints; its
    editable members are not visible there.
    """
    place = tmp_path_factory.mktemp("image") / "venv"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    wanted = [
        name.partition("[")[0] for name in steps("install") if name.startswith("clp-")
    ]
    wanted += ["clp-core", "clp-contracts", "clp-chassis", "clp-deploy", "clp-ops"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
    command += ["--no-deps", "--no-index", "--find-links", str(wheels), *wanted]
    subprocess.run(command, check=True)
    (library,) = place.glob("lib/python*/site-packages")
    mine = next(path for path in sys.path if path.endswith("site-packages"))
    (library / "others.pth").write_text(f"{mine}\n")
    return python


def run(
    python: Path, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-W", "ignore", *arguments],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=python.parent,
        capture_output=True,
        text=True,
        check=False,
    )


LOADS = """
import sys
from importlib import import_module
from importlib.resources import files
from clp_deploy.keys import HOLDERS
from clp_deploy.processes import PROCESS_TYPES
for process_type in PROCESS_TYPES:
    module, _, build = process_type.builder.partition(":")
    getattr(import_module(module), build)
    place = import_module(process_type.package).__file__
    assert place.startswith(sys.prefix), place
    if process_type.migrates:
        scripts = files(process_type.package) / "migrations" / "versions"
        assert any(path.name[0].isdigit() for path in scripts.iterdir())
import_module("clp_notifications.mail.rendering")
print("all of them load")
"""


def test_every_process_type_loads_from_the_image(image: Path) -> None:
    result = run(image, "-c", LOADS)
    assert result.stdout == "all of them load\n", result.stderr


def test_the_image_lists_the_process_types(image: Path) -> None:
    result = run(image, "-m", "clp_suite.entrypoint", "gateway")
    assert result.returncode == 2
    assert all(process_type.name in result.stderr for process_type in PROCESS_TYPES)


def test_a_process_of_the_image_refuses_wrong_settings(image: Path) -> None:
    result = run(
        image,
        "-m",
        "clp_suite.entrypoint",
        "delivery",
        CLP_NOTIFICATIONS_MAIL_WINDOW_S="soon",
    )
    assert result.returncode == 1
    assert "CLP_NOTIFICATIONS_SECRET" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_of_the_image_probes_liveness(
    image: Path, status: int, code: int
) -> None:
    class ProbeHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/live" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    command = json.loads(dict(instructions())["HEALTHCHECK"].partition(" CMD ")[2])
    with HTTPServer(("127.0.0.1", 0), ProbeHandler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        result = run(image, *command[1:], CLP_OBSERVE_ADDRESS=address)
    assert result.returncode == code, result.stderr


@pytest.mark.slow
def test_the_image_installs_with_all_it_needs(tmp_path: Path) -> None:
    """Both stages as written, from the package index."""
    folder, place = tmp_path / "wheels", tmp_path / "venv"
    replaced = {
        "/wheels": str(folder),
        "image.txt": "deploy/install/hashed/image.txt",
    }
    for command in ("download", "wheel"):
        arguments = [replaced.get(word, word) for word in steps(command)]
        subprocess.run(
            [sys.executable, "-m", "pip", command, "-q", *arguments],
            cwd=ROOT,
            check=True,
        )
    venv.create(place, with_pip=True)
    installs = [replaced.get(word, word) for word in steps("install")]
    subprocess.run([place / "bin" / "pip", "install", "-q", *installs], check=True)
    subprocess.run([place / "bin" / "pip", "check"], check=True)
    result = run(place / "bin" / "python", "-c", LOADS)
    assert result.stdout == "all of them load\n", result.stderr


@pytest.mark.parametrize("process_type", PROCESS_TYPES, ids=lambda t: t.name)
def test_the_image_migrates_the_database_of_a_process_type(process_type: Any) -> None:
    module = process_type.command[0]
    assert command_of(process_type.name, "migrate") == ("-m", module, "migrate")


@pytest.mark.parametrize("process_type", PROCESS_TYPES, ids=lambda t: t.name)
def test_the_argument_of_the_image_is_a_process_type(process_type: Any) -> None:
    rows = tomllib.loads((ROOT / "deploy" / "processes.toml").read_text())["process"]
    (row,) = (one for one in rows if one["name"] == process_type.name)
    assert command_of(process_type.name) == ("-m", row["module"], *row["arguments"])


# ---- compose


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return content


def test_the_compose_file_is_valid() -> None:
    command = [
        BIN / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        COMPOSE,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_process_type_is_composed(compose: dict[str, Any]) -> None:
    services = compose["services"]
    migrations = {migration_of(service) for service in DATABASES}
    assert set(services) == {t.name for t in PROCESS_TYPES} | SERVERS | migrations
    for process_type in PROCESS_TYPES:
        service = services[process_type.name]
        assert service["command"] == [process_type.name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["depends_on"]["rabbitmq"] == {"condition": "service_healthy"}
        assert service["depends_on"]["postgresql"] == {"condition": "service_healthy"}


def test_a_database_is_migrated_before_a_process_uses_it(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    """By a container of its own: no other has the role that owns the tables."""
    write_secret_folders(tmp_path, {})
    for process_type in PROCESS_TYPES:
        name = migration_of(process_type.service)
        waits = compose["services"][process_type.name]["depends_on"]
        assert waits[name] == {"condition": "service_completed_successfully"}
        migration = compose["services"][name]
        assert migration["command"] == [process_type.service, "migrate"]
        assert migration["volumes"] == [f"{name}:/etc/clp:ro"]
        assert migration["depends_on"]["postgresql"] == {"condition": "service_healthy"}
        ((variable, place),) = migration["environment"].items()
        assert variable == f"CLP_{process_type.service.upper()}_MIGRATION_URL_FILE"
        url = (tmp_path / name / Path(place).name).read_text()
        assert f"//{process_type.service}_owner:" in url
    owned = [
        name
        for name, service in compose["services"].items()
        if any("-migration:/etc/clp" in v for v in service.get("volumes", ()))
    ]
    assert sorted(owned) == sorted(map(migration_of, DATABASES))


def test_every_container_runs_without_privileges(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        # One container is root: it gives each volume to its reader, without a network.
        is_root = service.get("user") == "0:0"
        assert is_root == (name == "prepare") == bool(service.get("cap_add")), name
        assert not is_root or service["network_mode"] == "none"


def test_every_file_and_volume_of_the_compose_file_exists(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith(".."):
                assert (COMPOSE.parent / source).exists(), f"{name}: {source}"
            elif not source.startswith("/"):
                assert source in compose["volumes"], f"{name}: {source}"
        if "healthcheck" not in service:
            assert service["image"] == "clp-communications", (
                f"{name} has no health check"
            )


def test_only_the_http_ports_are_open_and_only_to_this_host(
    compose: dict[str, Any],
) -> None:
    ports = [
        port
        for service in compose["services"].values()
        for port in service.get("ports", ())
    ]
    assert sorted(ports) == [f"127.0.0.1:{port}:{port}" for port in (8000, 8001, 8002)]


def test_processes_of_compose_find_their_settings_and_secrets(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    """Each process with the folder mounted into it, and no other."""
    write_secret_folders(tmp_path, {})
    for process_type in PROCESS_TYPES:
        service = compose["services"][process_type.name]
        (mounted,) = (
            v.partition("-secrets:")[0] for v in service["volumes"] if "-secrets:" in v
        )
        environ = {
            name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value).replace(
                "/etc/clp/", f"{tmp_path / mounted}/"
            )
            for name, value in service["environment"].items()
        }
        read = read_whole_environment(
            process_type.settings_type, process_type.service, environ
        )
        assert read.broker_url.startswith(f"amqps://{mounted}:")
        assert (Path(read.keys_dir) / f"{process_type.service}.pem").exists()


def test_secrets_are_written_once(tmp_path: Path) -> None:
    write_secret_folders(tmp_path, {"rabbitmq": os.getuid()})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write_secret_folders(tmp_path, {})
    assert {
        path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    } == before
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "rabbitmq").iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize("lost", ["rabbitmq/server.pem", "rabbitmq"])
def test_new_secrets_are_never_put_over_others(tmp_path: Path, lost: str) -> None:
    """As after the loss of a volume, or where the first run was interrupted."""
    write_secret_folders(tmp_path, {})
    place = tmp_path / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit, match=r"server.pem is missing beside .*: restore"):
        write_secret_folders(tmp_path, {})
    assert {
        path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    } == before


def test_secrets_can_be_written_beside_the_volumes(compose: dict[str, Any]) -> None:
    """The container's own files are read-only, and one folder has no volume."""
    prepare = compose["services"]["prepare"]
    assert prepare["read_only"]
    volumes = {volume.partition(":")[2] for volume in prepare["volumes"]}
    assert "/secrets/scaling" not in volumes
    assert "/secrets" in prepare["tmpfs"]
    owners = {one.removeprefix("--owner=") for one in prepare["command"]}
    given = {f"/secrets/{one.partition('=')[0]}" for one in owners}
    assert (
        volumes
        == given
        == {f"/secrets/{name}" for name in FOLDERS} - {"/secrets/scaling"}
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["files", "{0}/elsewhere"], "{0}/elsewhere: no such folder"),
        (["secrets"], "the following arguments are required: folder"),
        (["secrets", "{0}/s", "--owner=rabitmq=9"], "the folders are rabbitmq, "),
        (["secrets", "{0}/s", "--owner=rabbitmq=me"], "is not FOLDER=USER-ID"),
    ],
)
def test_a_mistyped_folder_is_one_line_and_nothing_is_written(
    arguments: list[str],
    line: str,
    tmp_path: Path,
    refusal_of: RefusalOf,
) -> None:
    text = refusal_of(deploy, *(one.format(tmp_path) for one in arguments))
    assert line.format(tmp_path) in text
    assert not list(tmp_path.iterdir())


def test_t27_a_folder_holds_the_secrets_of_its_reader_only(tmp_path: Path) -> None:
    write_secret_folders(tmp_path, {})
    users = json.loads((tmp_path / "rabbitmq" / "definitions.json").read_text())[
        "users"
    ]
    urls = {
        path.parent.name: path.read_text() for path in tmp_path.glob("*/broker_url")
    }
    assert set(urls) == {user["name"] for user in users}
    passwords = {
        name: url.split("@")[0].rpartition(":")[2] for name, url in urls.items()
    }
    private = {path.read_text(): path for path in tmp_path.rglob("*.pem")}
    for reader in tmp_path.iterdir():
        content = "".join(
            path.read_text() for path in reader.rglob("*") if path.is_file()
        )
        held = {name for name, password in passwords.items() if password in content}
        assert held == {reader.name} & set(urls)
        keys = {p.stem for p in (reader / "keys").glob("*.pem")}
        assert keys == set(HOLDERS.get(reader.name, ()))
    assert all("PRIVATE KEY" in text or "CERTIFICATE" in text for text in private)
