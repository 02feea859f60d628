"""The command lines of benches and of tests that a target of the Makefile runs."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter


def command_parser() -> ArgumentParser:
    """A parser of the module that runs; its help shows the docstring as written."""
    main = sys.modules["__main__"]
    name = main.__spec__.name if main.__spec__ else str(main.__file__)
    return ArgumentParser(
        f"python -m {name.removesuffix('.__main__')}",
        description=main.__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
