"""Exported names have docstrings."""

import inspect
from types import ModuleType


def undocumented(module: ModuleType) -> list[str]:
    """Exported classes and functions without a docstring of their own."""
    silent = []
    for name in module.__all__:
        thing = getattr(module, name)
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        doc = thing.__doc__ or ""
        # A dataclass without a docstring gets its signature.
        if not doc.strip() or doc.startswith(f"{name}("):
            silent.append(name)
    return silent
