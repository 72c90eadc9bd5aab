"""Bad TOML is answered with file, line, key and reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from viralcore.core.problems import load_toml


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    metric: str
    share: Decimal


class Plan(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    price: Decimal
    minimum: int = Field(ge=1)
    lines: tuple[Line, ...] = ()


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    plans: dict[str, Plan]
    grace_hours: int = 24
    api_key: str = "x"


GOOD = '[plans.t1]\nprice = "0.50"\nminimum = 10\n[[plans.t1.lines]]\nmetric = "likes"\nshare = "1"\n'


def load(tmp_path: Path, *texts: str, given: dict[str, tuple[str, object]] | None = None) -> tuple[object, list[str]]:
    paths = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.toml"
        path.write_text(text)
        paths.append(path)
    model, problems = load_toml(paths, Model, given)
    return model, [f"{Path(p.place).name}|{p.key}|{p.reason}" for p in problems]


def test_good(tmp_path: Path) -> None:
    model, problems = load(tmp_path, GOOD, "grace_hours = 3\n", given={"api_key": ("API_KEY", "k")})
    assert problems == []
    assert isinstance(model, Model)
    assert (model.grace_hours, model.api_key, model.plans["t1"].lines[0].metric) == (3, "k", "likes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD.replace("minimum = 10", "minimum = 0"),
            "0.toml:3|plans.t1.minimum|must be greater than or equal to 1, not 0",
        ),
        (GOOD.replace("minimum = 10\n", ""), "0.toml:1|plans.t1.minimum|is missing"),
        (GOOD.replace('"0.50"', '"half"'), "0.toml:2|plans.t1.price|must be a decimal number, not 'half'"),
        (GOOD.replace('share = "1"', 'shar = "1"'), "0.toml:4|plans.t1.lines[1].share|is missing"),
        ("grace_huors = 1\n" + GOOD, "0.toml:1|grace_huors|is not a known key; did you mean grace_hours?"),
        ("grace_hours = 1.5\n" + GOOD, "0.toml:1|grace_hours|must be a whole number, not 1.5"),
    ],
)
def test_file_line_key_reason(tmp_path: Path, text: str, said: str) -> None:
    model, problems = load(tmp_path, text)
    assert model is None
    assert said in problems


def test_all_at_once(tmp_path: Path) -> None:
    _, problems = load(tmp_path, 'grace_hours = "x"\n[plans.t1]\nprice = true\n')
    assert len(problems) == 3


def test_the_environment_is_named_and_not_quoted(tmp_path: Path) -> None:
    _, problems = load(tmp_path, GOOD, given={"api_key": ("PANEL_API_KEY", 5)})
    assert problems == ['environment|PANEL_API_KEY|must be text in "quotes"']


def test_broken_missing_and_doubled_files(tmp_path: Path) -> None:
    _, problems = load(tmp_path, "a = [", GOOD, GOOD)
    assert problems[0].startswith("0.toml|(file)|is not valid TOML")
    assert problems[1] == "2.toml|plans|is set in 1.toml as well"
    model, missing = load_toml([tmp_path / "none.toml"], Model)
    assert model is None
    assert missing[0].reason == "the file is missing"
