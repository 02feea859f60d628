"""The Chromium that `deploy/install/browser.sh` installs."""

import os
import shutil
from typing import Final

# One without windows starts faster, and takes a third less processor.
CHROMIUM: Final = (
    os.environ.get("TESTS_CHROMIUM")
    or shutil.which("chromium-headless-shell")
    or "/usr/bin/chromium"
)
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
