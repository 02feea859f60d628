"""Arguments have names: no tuple and no ``*args`` packs several values into one."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import SHIPPED, Finding, Source, sources_of

# "FILE: FUNCTION" -> why this packed parameter is one value.
ONE_VALUE: dict[str, str] = {
    "libs/clp_chassis/src/clp_chassis/http/entrypoint.py: entrypoint": (
        "forwards the arguments of a decorator of Nameko"
    ),
    "libs/clp_chassis/src/clp_chassis/rpc.py: entrypoint": (
        "forwards the arguments of a decorator of Nameko"
    ),
    "tools/clp_suite/src/clp_suite/smtp_sink.py: serve": (
        "a host and a port, as sockets take them"
    ),
}
# Annotations of ``*args`` that forward a call, or list values of one kind.
MIXED = frozenset({"Any", "object"})


def packed_arguments(root: Path) -> list[Finding]:
    """Parameters of fixed tuples, and ``*args`` of mixed types, without an exception."""
    return [
        source.finding(
            function.lineno, f"{function.name}: {parameter.arg} packs values"
        )
        for source in sources_of(root, SHIPPED)
        for function in _functions(source)
        if f"{source.name}: {function.name}" not in ONE_VALUE
        for parameter in _packed(function.args)
    ]


def _functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _packed(arguments: ast.arguments) -> Iterator[ast.arg]:
    for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if parameter.annotation and _is_fixed_tuple(parameter.annotation):
            yield parameter
    rest = arguments.vararg
    # A name with an underscore ignores what is passed.
    is_named = rest is not None and not rest.arg.startswith("_")
    if rest and is_named and rest.annotation and _is_mixed(rest.annotation):
        yield rest


def _is_fixed_tuple(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=elements)):
            last = elements[-1]
            return not (isinstance(last, ast.Constant) and last.value is ...)
        case ast.BinOp(left=left, right=right):
            return _is_fixed_tuple(left) or _is_fixed_tuple(right)
        case _:
            return False


def _is_mixed(annotation: ast.expr) -> bool:
    if isinstance(annotation, ast.BinOp):
        return True
    return isinstance(annotation, ast.Name) and annotation.id in MIXED
