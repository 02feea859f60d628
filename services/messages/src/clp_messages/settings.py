"""Settings of `messages`."""

from dataclasses import dataclass
from typing import Annotated, Final

from clp_chassis.setting_kinds import ADDRESS, SECONDS, url
from clp_chassis.settings import (
    AccessLease,
    DatabaseUrl,
    HttpAddressFile,
    ProcessSettings,
    Setting,
)
from clp_contracts.facts_cache import LEASE_S

FILES: Final = url("s3", form="s3://BUCKET/PREFIX?endpoint=URL&region=NAME")
SCANNER: Final = url("tcp", "unix", form="tcp://HOST:PORT or unix:///PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Settings from ``CLP_MESSAGES_…``, or ``CLP_…`` for those of every process."""

    database_url: DatabaseUrl
    files_url: Annotated[
        str, Setting("the bucket of attachments; empty: a folder", FILES)
    ] = ""
    files_dir: Annotated[
        str, Setting("the folder of attachments, without a bucket")
    ] = "files"
    scanner_url: Annotated[
        str, Setting("a clamd; empty: files are not scanned", SCANNER)
    ] = ""
    scanner_timeout_s: Annotated[
        float, Setting("how long the scan of a file may take", SECONDS, "s")
    ] = 10.0
    attachment_policy: Annotated[
        str,
        Setting(
            "a TOML or JSON file with types and sizes of attachments; empty: as"
            " published"
        ),
    ] = ""
    robot_texts_dir: Annotated[
        str,
        Setting("a folder of templates KIND.txt for the robot; empty: ours"),
    ] = ""
    access_lease_s: AccessLease = LEASE_S
    http_address: Annotated[
        str, Setting("where attachments are served; port 0: a free one", ADDRESS)
    ] = "127.0.0.1:8000"
    http_address_file: HttpAddressFile = ""
