"""Small source trees on which guards are seen to fail."""

import textwrap
from collections.abc import Mapping
from pathlib import Path


def make_tree(root: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder; return the folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return root
