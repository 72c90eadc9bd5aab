"""Plans made for one person: what is allowed in one, how its price is shared out, and when it can be used. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from viralcore.boosts.api import BadCustomPlan, CustomSpec, Metric, PlanView
from viralcore.boosts.config import Custom, CustomLine, PlanLine
from viralcore.boosts.domain.plans import Catalogue

LONGEST_TITLE = 40
PLATFORM: Literal["x"] = "x"
GROUP = "custom"
_ID = re.compile(r"custom-([1-9][0-9]{0,11})")
_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class CustomPlan:
    """A stored one."""

    id: int
    user_id: int
    title: str
    likes: int
    reposts: int
    comments: int
    views: int
    price: Decimal
    preset: int
    version: int
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None

    @property
    def until(self) -> datetime | None:
        """When it ends, or ended."""
        return self.ended_at or self.expires_at

    def state(self, now: datetime) -> Literal["live", "expired", "ended"]:
        if self.ended_at is not None:
            return "ended"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"

    @property
    def spec(self) -> CustomSpec:
        return CustomSpec(
            title=self.title,
            likes=self.likes,
            reposts=self.reposts,
            comments=self.comments,
            views=self.views,
            price=self.price,
            preset=self.preset,
            expires_at=self.expires_at,
        )


def asset_of(number: int) -> str:
    """The plan's id in the catalogue, and the asset its credits are kept in: ``custom-7``."""
    return f"custom-{number}"


def number_of(plan_id: str) -> int | None:
    """The row behind ``custom-7``; None: a plan of another kind."""
    found = _ID.fullmatch(plan_id)
    return int(found.group(1)) if found else None


def usable(plan: PlanView, now: datetime) -> bool:
    """Whether its posts can be used. Only custom plans end."""
    return plan.until is None or plan.until > now


def check(spec: CustomSpec, rules: Custom, give: int, now: datetime) -> None:
    """Raises BadCustomPlan."""
    if not 1 <= len(spec.title) <= LONGEST_TITLE:
        raise BadCustomPlan(reason="title", most=LONGEST_TITLE)
    for line in rules.lines:
        if not 0 <= quantity_of(spec, line.metric) <= rules.most_per_post:
            raise BadCustomPlan(reason="quantity", metric=line.metric, most=rules.most_per_post)
    if not any(quantity_of(spec, line.metric) for line in rules.lines):
        raise BadCustomPlan(reason="nothing")
    places = spec.price.as_tuple().exponent
    if not spec.price.is_finite() or not 0 <= spec.price <= rules.most_price or not isinstance(places, int):
        raise BadCustomPlan(reason="price", most=rules.most_price)
    if places < -4:
        raise BadCustomPlan(reason="price", most=rules.most_price)
    if not 0 <= spec.preset <= rules.most_posts or abs(give) > rules.most_posts:
        raise BadCustomPlan(reason="posts", most=rules.most_posts)
    if spec.expires_at is not None and spec.expires_at <= now:
        raise BadCustomPlan(reason="expiry")


def quantity_of(spec: CustomSpec, metric: Metric) -> int:
    return int(getattr(spec, metric))


def view(plan_id: str, spec: CustomSpec, catalogue: Catalogue, rules: Custom) -> PlanView:
    """As an entry of the catalogue."""
    wanted = [line for line in rules.lines if quantity_of(spec, line.metric)]
    parts = shares([quantity_of(spec, line.metric) * line.weight for line in wanted])
    lines = [_line(line, spec, share) for line, share in zip(wanted, parts, strict=True)]
    return PlanView(
        id=plan_id,
        title=spec.title,
        platform=PLATFORM,
        group=GROUP,
        kind="credits",
        unit="post",
        price=spec.price,
        minimum=1,
        step=1,
        maximum=rules.most_posts,
        presets=(spec.preset,) if spec.preset else (),
        lines=tuple(catalogue.line(PLATFORM, line, line_quantity, spec.price) for line, line_quantity in lines),
        asset=plan_id,
        on_sale=spec.price > 0,
    )


def _line(line: CustomLine, spec: CustomSpec, share: Decimal) -> tuple[PlanLine, int]:
    quantity = quantity_of(spec, line.metric)
    return PlanLine(metric=line.metric, quantity=quantity, channel=line.channel, share=share), quantity


def shares(weights: Sequence[Decimal]) -> list[Decimal]:
    """Parts of one whole in proportion to their weights, in ten-thousandths, none of them nothing."""
    total = sum(weights, Decimal(0))
    found = [max(_STEP, (weight / total).quantize(_STEP)) for weight in weights]
    largest = max(range(len(found)), key=lambda index: weights[index])
    found[largest] += 1 - sum(found, Decimal(0))
    return found
