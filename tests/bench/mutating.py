"""Mutants: a module's source with one thing wrong, as a programmer could get it wrong.

Words for people (messages of errors) are left alone, as are types, decorators and docstrings: no test should hang on
them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Mod: ast.Mult,
}
_NAMED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_NAMED |= {"ROUND_CEILING": "ROUND_FLOOR", "ROUND_FLOOR": "ROUND_CEILING", "USD": "NGN", "NGN": "USD"}
_MACHINE_WORD = re.compile(r"[a-z_]+")
_SIMPLE = (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr)


@dataclass(frozen=True, slots=True)
class Mutant:
    """`tree`: the whole module with the change in it."""

    line: int
    was: str
    becomes: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.line}: {self.was}  ->  {self.becomes}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, one change in each."""
    tree = ast.parse(source)
    spots = [(number, node) for number, node in enumerate(_nodes(tree)) if node is not None]
    for number, node in spots:
        for change in range(len(list(_changes(node)))):
            copy = deepcopy(tree)
            spot = next(one for place, one in enumerate(_nodes(copy)) if place == number)
            was = _told(spot)
            list(_changes(spot))[change]()
            becomes = _told(spot)
            if was != becomes:
                ast.fix_missing_locations(copy)
                yield Mutant(spot.lineno, was, becomes, copy)


def _nodes(tree: ast.AST) -> Iterator[Any]:
    """What may be changed, in the order of the source."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_for_readers(child):
                continue
            if hasattr(child, "lineno"):
                yield child
            yield from _nodes(child)


def _is_for_readers(node: ast.AST) -> bool:
    """Docstrings, imports, type aliases and words of errors."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal"


def _told(node: Any) -> str:
    """The first line of it."""
    return ast.unparse(node).splitlines()[0]


def _changes(node: Any) -> Iterator[Any]:
    """What could be wrong with a node: functions that make it so."""
    yield from _wrong_rules(node)
    yield from _wrong_values(node)


def _wrong_rules(node: Any) -> Iterator[Any]:
    match node:
        case ast.Compare(ops=ops):
            for place, known in enumerate(ops):
                for other in _COMPARED[type(known)]:
                    yield lambda place=place, other=other: node.ops.__setitem__(place, other())
        case ast.BoolOp(op=known):
            yield lambda: setattr(node, "op", ast.Or() if isinstance(known, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield lambda: _truth(node)
        case ast.If(test=known) | ast.IfExp(test=known) if isinstance(known, _SIMPLE):
            yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), known))
        case ast.Return(value=known) if known is not None and not _is_none(known):
            yield lambda: setattr(node, "value", ast.Constant(None))
            if isinstance(known, ast.Name | ast.Call | ast.Attribute | ast.BoolOp):
                yield lambda: setattr(node, "value", ast.UnaryOp(ast.Not(), known))
        case ast.Raise():
            yield lambda: setattr(node, "exc", ast.parse("RuntimeError()", mode="eval").body)


def _wrong_values(node: Any) -> Iterator[Any]:
    match node:
        case ast.BinOp(op=known) | ast.AugAssign(op=known) if type(known) in _COUNTED:
            yield lambda: setattr(node, "op", _COUNTED[type(known)]())
        case ast.UnaryOp(op=ast.USub()):
            yield lambda: setattr(node, "op", ast.UAdd())
        case ast.Constant(value=bool(known)):
            yield lambda: setattr(node, "value", not known)
        case ast.Constant(value=int(known)):
            yield lambda: setattr(node, "value", known + 1)
        case ast.Constant(value=str(known)) if _MACHINE_WORD.fullmatch(known):
            yield lambda: setattr(node, "value", f"{known}_")
        case ast.Name(id=known, ctx=ast.Load()) if known in _NAMED:
            yield lambda: setattr(node, "id", _NAMED[known])


def _truth(node: ast.UnaryOp) -> None:
    """`not x` becomes `not not x`: without its not, and still a bool."""
    node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
