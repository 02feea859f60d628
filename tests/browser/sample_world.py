"""``python -m tests.browser.sample_world FILE ...``: the sample world of `make portal`.

While the file exists nobody answers a call, as when a service or the broker is away.
"""

import sys
from pathlib import Path
from typing import Any

from clp_contracts.client.rpc_client import RpcClient
from clp_contracts.errors import CallFailed
from clp_suite.portal.__main__ import main


def lose_services_while(file: Path) -> None:
    """Let every call fail while a file exists."""
    reach = RpcClient.call

    def call(client: RpcClient, method: Any, request: Any) -> Any:
        if file.exists():
            raise CallFailed("no answer")
        return reach(client, method, request)

    RpcClient.call = call  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    lose_services_while(Path(sys.argv.pop(1)))
    sys.exit(main())
