"""Import this first: it makes the standard library cooperate with eventlet.

The import is the effect. Sockets, locks, sleeps and subprocesses of the whole process
become cooperative, and psycopg waits in a way that lets other green threads run.
Modules imported before keep working; importing this module twice changes nothing. Entry
points (`__main__`, `conftest`, the embedded suite) import it before the other modules.
"""

import os
import warnings

os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

with warnings.catch_warnings():
    # eventlet warns of its deprecation; only the edges may import it.
    warnings.simplefilter("ignore")
    import eventlet

if not eventlet.patcher.is_monkey_patched("socket"):
    eventlet.monkey_patch()

PATCHED = True
