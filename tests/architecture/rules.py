"""The small rules no linter knows, as functions of source text or types, so that each can be shown a bad sample."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import viralcore
from viralcore.core.errors import DomainError
from viralcore.core.events import Event

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "viralcore"
LONGEST_FUNCTION = 60
LONGEST_FILE = 450
LONGEST_DOOR = 650
"""An ``api.py`` is signatures and their promises, no code, read in one place: it may be longer than other files.
So is a ``tables.py``: a schema, told in one place. A door that outgrows this keeps its subjects in ``door/``."""
NOWHERE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
T = TypeVar("T")
OPEN_PACKAGES = {"core", "texts", "sandbox"}
"""Packages that are not modules with a door: everybody's ground, everybody's words, nobody's concern."""

MONEY_PLACES = ("core/money.py", "ledger", "payments", "boosts")
NOT_MONEY = re.compile(
    r"(?i)seconds?|minutes|hours?|days?$|timeout|per_second|pace|interval|delay|wait|backoff|due_in|_at$|progress"
)
"""Names a binary float may carry next to money: time and pace, and the share of a bar that is drawn."""

EXCUSED = {"payments/service/claiming.py": {"check"}}  # answers with the seconds until the next look


def sources() -> Iterator[tuple[str, str]]:
    """Every Python file of the package: path from the package root, text."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), path.read_text()


def modules() -> set[str]:
    """The packages on disk that are modules with a door."""
    return {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - OPEN_PACKAGES


def door_parts() -> Iterator[Path]:
    """The files of doors that are cut by subject."""
    return (path for path in sorted(PACKAGE.glob("*/door/**/*.py")) if path.name != "__init__.py")


def doors() -> list[str]:
    """What modules can be asked: their ``api.py`` and the parts of their doors, by name."""
    files = [*sorted(PACKAGE.glob("*/api.py")), *door_parts()]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]


def left_out(part: str, named: Collection[str]) -> list[str]:
    """Public names that a door's part defines and its api does not name: nobody could import them."""
    defined: set[str] = set()
    for node in ast.parse(part).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                defined.add(name)
            case ast.Assign(targets=targets):
                defined |= {target.id for target in targets if isinstance(target, ast.Name)}
    return sorted(name for name in defined - set(named) if not name.startswith("_"))


def more_than_a_docstring(text: str) -> bool:
    """Whether a file holds anything but one docstring."""
    body = ast.parse(text).body
    return len(body) > 1 or any(not isinstance(node, ast.Expr) or not _is_text(node.value) for node in body)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def too_long(text: str, limit: int = LONGEST_FILE) -> list[str]:
    """Functions and files past the limits. A function's docstring and decorators do not count."""
    found = [f"file has {lines} lines"] if (lines := len(text.splitlines())) > limit else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if len(node.body) > 1 and ast.get_docstring(node) else node.body[0]
            length = (node.end_lineno or 0) - first.lineno + 1
            if length > LONGEST_FUNCTION:
                found.append(f"{node.name} (line {node.lineno}) has {length} lines")
    return found


def floats(text: str, excused: Collection[str] = ()) -> list[str]:
    """Binary floats that are not time or pace: literals, annotations and calls, with their lines."""
    found: list[str] = []

    def visit(node: ast.AST, name: str) -> None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            return  # asking whether something is a float, to refuse it
        if isinstance(
            node, ast.AnnAssign | ast.keyword | ast.arg | ast.Assign | ast.FunctionDef | ast.AsyncFunctionDef
        ):
            name = _named(node) or name
        is_float = (isinstance(node, ast.Constant) and isinstance(node.value, float)) or (
            isinstance(node, ast.Name) and node.id == "float"
        )
        if is_float and name not in excused and not NOT_MONEY.search(name):
            found.append(f"line {getattr(node, 'lineno', 0)}: a float in {name or 'the module'}")
        if isinstance(node, ast.arguments):
            for argument, default in _defaults(node):
                visit(default, argument.arg)
            for argument in (*node.posonlyargs, *node.args, *node.kwonlyargs):
                visit(argument, name)
            return
        for child in ast.iter_child_nodes(node):
            visit(child, name)

    visit(ast.parse(text), "")
    return found


def _named(node: ast.AST) -> str:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.AnnAssign(target=ast.Attribute(attr=name)):
            return name
        case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)]):
            return name
        case ast.keyword(arg=str(name)) | ast.arg(arg=name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
    return ""


def _defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    plain = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        yield from zip(plain[-len(arguments.defaults) :], arguments.defaults, strict=True)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield argument, default


PRIMITIVES = (int, str, bool, bytes, float, type(None), Decimal, datetime, date, time, timedelta, object)


def foreign_types(api: types.ModuleType) -> list[str]:
    """Types in the signatures and fields of a door that are neither primitive, nor core's, nor of some door."""
    found: list[str] = []
    for name, thing in vars(api).items():
        if inspect.isclass(thing) and thing.__module__ == api.__name__:
            if dataclasses.is_dataclass(thing):
                found += _foreign(f"{name}", typing.get_type_hints(thing))
            for method_name, method in vars(thing).items():
                function = method.fget if isinstance(method, property) else method
                if inspect.isfunction(function) and (not method_name.startswith("_")):
                    found += _foreign(f"{name}.{method_name}", typing.get_type_hints(function))
        elif inspect.isfunction(thing) and thing.__module__ == api.__name__:
            found += _foreign(name, typing.get_type_hints(thing))
    return found


def _foreign(place: str, hints: dict[str, Any]) -> list[str]:
    return [
        f"{place}: {argument}: {stranger}" for argument, hint in hints.items() for stranger in sorted(_strangers(hint))
    ]


def _strangers(hint: Any) -> set[str]:
    origin = typing.get_origin(hint)
    if origin is typing.Literal or hint is Any or isinstance(hint, typing.TypeVar):
        return set()
    if isinstance(hint, typing.NewType):
        return set() if _ours(hint.__module__) else {str(hint)}
    inner: set[str] = set()
    for argument in typing.get_args(hint):
        for each in argument if isinstance(argument, list) else [argument]:
            if each is not Ellipsis:
                inner |= _strangers(each)
    if origin is not None:
        return inner if _plain_container(origin) else inner | {str(origin)}
    if hint in PRIMITIVES or (inspect.isclass(hint) and (_ours(hint.__module__) or _plain_container(hint))):
        return inner
    return {str(hint)}


def _ours(module: str) -> bool:
    return bool(re.match(r"viralcore\.(core(\.|$)|\w+\.api$|\w+\.door\.\w+$)", module))


def _plain_container(origin: Any) -> bool:
    return origin in (typing.Union, types.UnionType, typing.Annotated, typing.ClassVar) or getattr(
        origin, "__module__", ""
    ) in {
        "builtins",
        "collections.abc",
        "contextlib",
    }


def import_everything() -> list[str]:
    """Import every file of the package (so that all subclasses exist); returns their names."""
    names = [found.name for found in pkgutil.walk_packages(viralcore.__path__, "viralcore.")]
    kept = [name for name in names if not name.endswith("__main__") and ".sandbox" not in name]
    for name in kept:
        importlib.import_module(name)
    return kept


def subclasses(cls: type[T]) -> set[type[T]]:
    """All of them, at any depth, that live in the package (a slotted dataclass leaves a ghost of itself behind)."""
    direct: list[type[T]] = cls.__subclasses__()
    found = {one for each in direct for one in (each, *subclasses(each))}
    ours = {one for one in found if one.__module__.startswith("viralcore.")}
    return {one for one in ours if getattr(sys.modules[one.__module__], one.__name__, one) is one}


def bad_codes(errors: set[type[DomainError]]) -> list[str]:
    """Refusals whose code is missing, foreign to their module, or taken twice."""
    seen: dict[str, str] = {}
    found = []
    for error in sorted(errors, key=lambda one: one.__qualname__):
        module = error.__module__.split(".")[1]
        if "code" not in vars(error) or not re.fullmatch(rf"{module}\.[a-z][a-z0-9_]*", error.code):
            found.append(f"{error.__name__}: its code must be {module}.<reason>, not {error.code!r}")
        elif error.code in seen:
            found.append(f"{error.__name__} and {seen[error.code]} share the code {error.code}")
        seen[error.code] = error.__name__
    return found


def bad_events(events: set[type[Event]]) -> list[str]:
    """Events without a versioned name of their module, not frozen, or carrying more than ids and primitives."""
    found = []
    names: set[str] = set()
    for event in sorted(events, key=lambda one: one.__qualname__):
        module = event.__module__.split(".")[1]
        if not re.fullmatch(rf"{module}\.[a-z][a-z0-9_]*\.v\d+", event.NAME) or event.NAME in names:
            found.append(f"{event.__name__}: NAME must be {module}.<what>.v<n>, of its own, not {event.NAME!r}")
        names.add(event.NAME)
        if not event.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            found.append(f"{event.__name__} is not frozen")
        hints = typing.get_type_hints(event)
        for field in dataclasses.fields(event):
            flat = {hints[field.name], *typing.get_args(hints[field.name])} - {Ellipsis}
            plain = {each for each in flat if each in (int, str, bool, type(None)) or typing.get_origin(each) is tuple}
            union = {each for each in flat if isinstance(each, types.UnionType)}
            if flat - plain - union:
                found.append(f"{event.__name__}.{field.name}: only int, str, bool, None and tuples of them")
    return found
