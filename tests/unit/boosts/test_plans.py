"""The catalogue as shipped, the split into phases, and what bad settings are told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.boosts import FILES, SETTINGS, config
from viralcore.boosts.api import BadQuantity, UnknownPlan
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain.plans import Catalogue, refund_cents, split
from viralcore.core.money import usd
from viralcore.core.problems import load_toml

HALVES = [(30, Decimal("0.5")), (60, Decimal("0.5"))]


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(config())


@pytest.mark.parametrize(
    ("plan_id", "price", "lines"),
    [
        ("t1", "0.50", {"likes": 30, "views": 2000, "comments": 10, "reposts": 5}),
        ("t2", "1.00", {"likes": 50, "views": 5000, "comments": 20, "reposts": 10}),
        ("t3", "1.50", {"likes": 75, "views": 7000, "comments": 30, "reposts": 15}),
        ("t4", "2.00", {"likes": 100, "views": 10000, "comments": 40, "reposts": 20}),
        ("t5", "3.00", {"likes": 150, "views": 15000, "comments": 60, "reposts": 30}),
    ],
)
def test_the_tiers_are_as_advertised(catalogue: Catalogue, plan_id: str, price: str, lines: dict[str, int]) -> None:
    plan = catalogue.get(plan_id)
    assert (plan.price, plan.minimum, plan.presets) == (Decimal(price), 10, (10, 25, 50, 100))
    assert {line.metric: line.quantity for line in plan.lines} == lines
    assert sum(line.share for line in plan.lines) == 1
    assert {line.metric for line in plan.lines if line.available} == {"likes", "views"}
    assert plan.on_sale
    assert plan.asset == plan_id


def test_what_has_no_channel_yet_is_not_on_sale(catalogue: Catalogue) -> None:
    plans = {plan.id: plan for plan in catalogue.all()}
    assert [plan.id for plan in plans.values() if plan.on_sale] == ["t1", "t2", "t3", "t4", "t5"]
    assert plans["tgt-15"].price == Decimal("0.30")
    assert {line.quantity for line in plans["tgt-15"].lines} == {15}
    assert plans["slow_push"].step == 10
    assert plans["t5"].lines[2].verified == 20
    assert {plan.id for plan in plans.values() if plan.kind == "contact"} == {"special", "giveaway", "extra"}
    assert plans["x_poll"].questions == ("poll_link", "poll_option")


def test_an_unknown_plan_and_quantities_nobody_can_buy(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownPlan):
        catalogue.get("t9")
    for asked in (9, 0, -10, 100_001):
        with pytest.raises(BadQuantity):
            catalogue.check_quantity(catalogue.get("t3"), asked)
    with pytest.raises(BadQuantity):
        catalogue.check_quantity(catalogue.get("slow_push"), 25)
    catalogue.check_quantity(catalogue.get("t3"), 10)


def test_the_shipped_plans_bring_more_than_they_cost(catalogue: Catalogue) -> None:
    assert catalogue.warnings() == ()


def test_a_plan_that_may_cost_more_than_it_brings_is_named() -> None:
    shipped = config()
    cheap = shipped.plans[2].model_copy(update={"price": Decimal("0.10")})
    plans = (*shipped.plans[:2], cheap, *shipped.plans[3:])
    (warning,) = Catalogue(shipped.model_copy(update={"plans": plans})).warnings()
    assert "t3" in warning


def test_rounding_goes_to_the_first_phase() -> None:
    assert [phase.quantity for phase in split(75, HALVES, 10)] == [38, 37]
    assert [phase.quantity for phase in split(7000, HALVES, 100)] == [3500, 3500]


def test_the_shipped_t3_goes_out_in_four_parts(catalogue: Catalogue) -> None:
    plan = catalogue.get("t3")
    parts = {line.metric: [(p.minutes, p.quantity) for p in catalogue.phases(plan, line)] for line in plan.lines}
    assert parts == {
        "likes": [(30, 38), (60, 37)],
        "views": [(30, 3500), (60, 3500)],
        "comments": [],
        "reposts": [],
    }


def test_a_part_below_the_minimum_joins_the_other() -> None:
    assert [(p.minutes, p.quantity) for p in split(15, HALVES, 10)] == [(30, 15)]
    uneven = [(30, Decimal("0.1")), (60, Decimal("0.9"))]
    assert [(p.minutes, p.quantity) for p in split(50, uneven, 10)] == [(60, 50)]


@given(
    st.integers(1, 10**6),
    st.integers(1, 1000),
    st.lists(st.integers(1, 100), min_size=1, max_size=6),
)
def test_a_split_keeps_the_total_and_the_minimum(total: int, minimum: int, weights: list[int]) -> None:
    minimum = min(minimum, total)
    shares = [Decimal(weight) / sum(weights) for weight in weights]
    phases = split(total, list(enumerate(shares)), minimum)
    assert sum(phase.quantity for phase in phases) == total
    assert all(phase.quantity >= minimum for phase in phases)
    assert [phase.number for phase in phases] == list(range(1, len(phases) + 1))
    assert [phase.minutes for phase in phases] == sorted({phase.minutes for phase in phases})


def _with_likes(quantity: int, share: str = "0.15") -> Catalogue:
    shipped = config()
    plan = shipped.plans[2]
    likes = plan.lines[0].model_copy(update={"quantity": quantity, "share": Decimal(share)})
    changed = plan.model_copy(update={"lines": (likes, *plan.lines[1:])})
    return Catalogue(shipped.model_copy(update={"plans": (changed,)}))


def test_a_total_below_every_minimum_is_raised_when_its_share_pays_for_it() -> None:
    catalogue = _with_likes(4)
    plan = catalogue.get("t3")
    assert [phase.quantity for phase in catalogue.phases(plan, plan.lines[0])] == [10]
    assert plan.lines[0].available


def test_a_total_below_every_minimum_is_refunded_when_its_share_does_not_pay_for_it() -> None:
    catalogue = _with_likes(4, share="0.0001")
    plan = catalogue.get("t3")
    assert catalogue.phases(plan, plan.lines[0]) == ()
    assert not plan.lines[0].available


def test_refunds_are_rounded_down_to_the_cent(catalogue: Catalogue) -> None:
    assert refund_cents(Decimal("1.50"), Decimal("0.15"), 1, 3) == 7
    assert refund_cents(Decimal("0.01"), Decimal("0.15")) == 0
    assert catalogue.refund_per_unit(catalogue.get("t3"), Decimal("1.50")) == usd("1.05")
    assert catalogue.refund_per_unit(catalogue.get("t3"), Decimal(0)) == usd(0)
    assert catalogue.refunded_share(catalogue.get("t3")) == Decimal("0.70")


def _broken(tmp_path: Path, name: str, old: str, new: str) -> str:
    for file in FILES:
        text = (SETTINGS / file).read_text()
        if file == name:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / file).write_text(text)
    loaded, problems = load_toml([tmp_path / file for file in FILES], BoostsConfig)
    assert loaded is None
    return "\n".join(map(str, problems))


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("plans.toml", 'share = "0.15"', 'share = "0.16"', "t1: the shares of its lines add up to 1.01, not to 1"),
        ("plans.toml", 'price = "0.50"', "price = 0.50", "plans[1].price"),
        ("plans.toml", 'price = "0.50"', 'price = "-1"', "plans[1].price"),
        ("plans.toml", "presets = [10, 25, 50, 100]", "presets = [5, 25]", "t1: preset 5"),
        ("plans.toml", 'metric = "likes"', 'metric = "hearts"', "plans[1].lines[1].metric"),
        ("plans.toml", 'id = "t2"', 'id = "t1"', "plan t1 is named twice"),
        ("plans.toml", "minimum = 10", "minium = 10", "is not a known key"),
        ("plans.toml", 'title = "Telegram engagement, {n} comments"', 'title = "Telegram"', "tgt: title needs {n}"),
        ("schedule.toml", 'share = "0.5"', 'share = "0.4"', "the shares of the phases add up to 0.9"),
        ("schedule.toml", "minutes = 60", "minutes = 30", "the minutes of the phases must rise"),
        ("schedule.toml", "poll_seconds = 60", "poll_seconds = 0", "schedule.poll_seconds"),
        ("panels.toml", 'dialect = "smartpanel"', 'dialect = "klingon"', "panel smmstone: there is no dialect klingon"),
        ("panels.toml", "minimum = 10, maximum = 50000", "minimum = 10, maximum = 5", "101: minimum is above maximum"),
        ("panels.toml", 'id = "101"', 'id = "1 or 1"', "panels[1].services[1].id"),
        ("panels.toml", '"awaiting"', '"completed"', "status word completed is named twice"),
    ],
)
def test_every_bad_value_is_told_with_file_key_and_reason(
    tmp_path: Path, name: str, old: str, new: str, told: str
) -> None:
    problems = _broken(tmp_path, name, old, new)
    assert told in problems
    assert str(tmp_path) in problems


def test_all_problems_of_a_plan_are_told_at_once(tmp_path: Path) -> None:
    problems = _broken(tmp_path, "plans.toml", "minimum = 10\npresets = [10, 25", "minimum = 60\npresets = [10, 25")
    assert "preset 10" in problems
    assert "preset 25" in problems
