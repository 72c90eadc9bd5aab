"""What is wrong with the settings, in plain words: every problem at once, each with place, key and reason."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """`place`: a file (with a line where known) or "environment". `key`: what to change. `reason`: plain words."""

    place: str
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.reason}"


class SettingsError(Exception):
    """The settings cannot be used. Holds every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} problem(s) in the settings")


def load_toml(
    paths: Sequence[Path], model: type[M], given: Mapping[str, tuple[str, Any]] | None = None
) -> tuple[M | None, tuple[Problem, ...]]:
    """Validate TOML files, merged table by table, into a frozen model. Returns the model or the problems, never both.

    `given`: fields of the model that come from the environment, field -> (environment name, value); they win.
    """
    given = given or {}
    tables: dict[str, Any] = {}
    texts: dict[str, tuple[Path, str]] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
            table = tomllib.loads(text)
        except FileNotFoundError:
            problems.append(Problem(str(path), "(file)", "the file is missing"))
            continue
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(str(path), "(file)", f"cannot be read: {type(error).__name__}"))
            continue
        except tomllib.TOMLDecodeError as error:
            problems.append(Problem(str(path), "(file)", f"is not valid TOML: {error}"))
            continue
        for key, value in table.items():
            if key in tables:
                problems.append(Problem(str(path), key, f"is set in {texts[key][0].name} as well"))
            tables[key] = value
            texts[key] = (path, text)
    if problems:
        return None, tuple(problems)
    try:
        return model.model_validate({**tables, **{field: value for field, (_, value) in given.items()}}), ()
    except ValidationError as error:
        return None, tuple(_place(details, paths, texts, given, model) for details in error.errors(include_url=False))


def _place(
    details: ErrorDetails,
    paths: Sequence[Path],
    texts: Mapping[str, tuple[Path, str]],
    given: Mapping[str, tuple[str, Any]],
    model: type[BaseModel],
) -> Problem:
    location = [part for part in details["loc"] if isinstance(part, int) or not _UNION_ARM.match(part)]
    first = str(location[0]) if location else ""
    if first in given:
        return Problem("environment", given[first][0], reason(details, secret=True))
    if not location:
        return Problem(", ".join(map(str, paths)), "(together)", reason(details))
    path, text = texts.get(first, (paths[0], ""))
    line = _line(text, location)
    known = sorted(model.model_fields) if len(location) == 1 else []
    place = f"{path}:{line}" if line else str(path)
    return Problem(place, dotted(location), reason(details, known=known))


def dotted(location: Sequence[int | str]) -> str:
    """``("plans", 2, "price")`` -> ``plans[3].price``: counted from one, as people count."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


_UNION_ARM = re.compile(r"function-|constrained-|literal\[|(int|str|bool|decimal|tuple\[.*|list\[.*)$")
"""What pydantic adds to the place of an error to say which arm of a union was tried."""
_INPUT = re.compile(r"^(?:Input|Value|String|List|Tuple|Dictionary) should ")
_WORDS = {
    "missing": "is missing",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "decimal_parsing": "must be a decimal number",
    "decimal_type": "must be a decimal number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "string_type": 'must be text in "quotes"',
    "extra_forbidden": "is not a known key",
}


def reason(details: ErrorDetails, *, secret: bool = False, known: Sequence[str] = ()) -> str:
    """One validation error in plain words; the value is shown unless it may be a secret."""
    kind, given = details["type"], details.get("input")
    message = _WORDS.get(kind) or _INPUT.sub("must ", details["msg"].removeprefix("Value error, "))
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(str(details["loc"][-1]), known, n=1)
        return message + (f"; did you mean {close[0]}?" if close else "")
    if secret or kind == "missing" or not isinstance(given, str | int | float) or message.endswith(")"):
        return message
    return f"{message}, not {given!r}"[:300]


def _line(text: str, location: Sequence[int | str]) -> int:
    """The line of a key in a TOML text, or of the table it is missing from; 0 when it cannot be told cheaply."""
    best, matched, counts, here = 0, 0, dict[str, int](), list[int | str]()
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"^\s*(\[\[?)\s*([^\]#]+?)\s*\]", line)
        assigned = re.match(r"^\s*([A-Za-z0-9_\"'.-]+)\s*=", line)
        if header:
            name = header.group(2).replace('"', "").replace("'", "")
            here = [part for part in name.split(".") if part]
            if header.group(1) == "[[":
                counts[name] = counts.get(name, -1) + 1
                here.append(counts[name])
            found: list[int | str] = here
        elif assigned:
            key = assigned.group(1).replace('"', "").replace("'", "")
            found = [*here, *key.split(".")]
        else:
            continue
        depth = len(found)
        if depth > matched and list(location[:depth]) == found:
            best, matched = number, depth
    return best
