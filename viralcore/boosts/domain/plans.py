"""The catalogue as people see it, and how a line is split into phases that some panel takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from viralcore.boosts.api import BadQuantity, LineView, PlanView, UnknownPlan
from viralcore.boosts.config import BoostsConfig, PanelConfig, Plan, PlanLine, Service
from viralcore.core.money import USD, Money, floor_money


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """One part of a line: so many minutes after the order."""

    number: int
    minutes: int
    quantity: int


def split(total: int, parts: Sequence[tuple[int, Decimal]], minimum: int) -> tuple[PlannedPhase, ...]:
    """Split a total over (minutes, share) parts: rounding goes to the first, a part below `minimum` joins another.

    The total itself is at least `minimum`.
    """
    sizes = [int((total * share).to_integral_value(rounding=ROUND_FLOOR)) for _, share in parts]
    sizes[0] = total - sum(sizes[1:])
    for index in range(len(sizes) - 1, 0, -1):
        if 0 < sizes[index] < minimum:
            sizes[index - 1] += sizes[index]
            sizes[index] = 0
    if 0 < sizes[0] < minimum:
        later = next((index for index in range(1, len(sizes)) if sizes[index]), None)
        if later is not None:
            sizes[later] += sizes[0]
            sizes[0] = 0
    kept = [(minutes, size) for (minutes, _), size in zip(parts, sizes, strict=True) if size]
    return tuple(PlannedPhase(number, minutes, size) for number, (minutes, size) in enumerate(kept, start=1))


def cost(rate: Decimal, quantity: int) -> Decimal:
    """What a panel asks for a quantity; `rate` is per 1,000."""
    return rate * quantity / 1000


class Catalogue:
    """Plans by id, in the order shown, with what the panels in use can deliver of them."""

    def __init__(self, config: BoostsConfig, channels: frozenset[str] = frozenset()) -> None:
        """`channels`: those that are worked at besides the panels."""
        self._channels = channels
        self._parts = [(part.minutes, part.share) for part in config.schedule.phases]
        self._config = config
        self.lay(lambda panel: panel)

    def lay(self, now: Callable[[PanelConfig], PanelConfig]) -> None:
        """Panels sell something else from now on: `now` turns one of the settings into what it sells."""
        self._panels = tuple(now(panel) for panel in self._config.usable_panels or self._config.panels)
        self._plans = {plan.id: plan for row in self._config.plans for plan in self._expand(row)}

    def all(self) -> tuple[PlanView, ...]:
        return tuple(self._plans.values())

    def get(self, plan_id: str) -> PlanView:
        """Raises UnknownPlan."""
        found = self._plans.get(plan_id)
        if found is None:
            raise UnknownPlan(plan_id=plan_id)
        return found

    def check_quantity(self, plan: PlanView, quantity: int) -> None:
        """Raises BadQuantity."""
        if not plan.minimum <= quantity <= plan.maximum or quantity % plan.step:
            raise BadQuantity(minimum=plan.minimum, maximum=plan.maximum, step=plan.step, asked=quantity)

    def phases(self, plan: PlanView, line: LineView, units: int = 1) -> tuple[PlannedPhase, ...]:
        """What panels are sent for a line of so many units; empty when none delivers it."""
        if line.channel != "panel":
            return ()
        return self._panel_phases(plan.platform, line.metric, line.quantity * units, plan.price * line.share * units)

    def refunded_share(self, plan: PlanView) -> Decimal:
        """The part of the price that comes back because nobody delivers it yet."""
        return sum((line.share for line in plan.lines if not line.available), Decimal(0))

    def refund_per_unit(self, plan: PlanView, unit_cost: Decimal) -> Money | None:
        """What comes back per unit, at the price paid for it; None when nothing does. Rounded down line by line."""
        shares = [line.share for line in plan.lines if not line.available]
        return Money(sum(refund_cents(unit_cost, share) for share in shares), USD) if shares else None

    def warnings(self) -> tuple[str, ...]:
        """Plans on sale that may cost more than they bring, in plain words: if the dearest panel delivers all."""
        return tuple(
            f"plan {plan.id} may cost {worst:f} USD, panels and refunds together, and sells for {plan.price:f}"
            for plan in self._plans.values()
            if plan.on_sale and plan.kind == "credits" and (worst := self.worst_cost(plan)) > plan.price
        )

    def worst_cost(self, plan: PlanView) -> Decimal:
        """The dearest panel's price for every line it delivers, and the shares of the lines nobody delivers."""
        total = plan.price * self.refunded_share(plan)
        for line in plan.lines:
            sent = sum(phase.quantity for phase in self.phases(plan, line))
            rates = [service.rate for _, service in self.sellers(plan.platform, line.metric)]
            total += cost(max(rates), sent) if sent and rates else Decimal(0)
        return total

    def sellers(self, platform: str, metric: str) -> list[tuple[PanelConfig, Service]]:
        """Panels that sell a metric, in order of preference."""
        found = ((panel, panel.service(platform, metric)) for panel in self._panels)
        return [(panel, service) for panel, service in found if service is not None]

    def _panel_phases(self, platform: str, metric: str, quantity: int, worth: Decimal) -> tuple[PlannedPhase, ...]:
        services = [service for _, service in self.sellers(platform, metric)]
        if not services:
            return ()
        minimum = min(service.minimum for service in services)
        if quantity < minimum:
            least = min(cost(service.rate, service.minimum) for service in services if service.minimum == minimum)
            if least > worth:
                return ()
            quantity = minimum
        phases = split(quantity, self._parts, minimum)
        largest = max(service.maximum for service in services)
        return phases if all(phase.quantity <= largest for phase in phases) else ()

    def _expand(self, plan: Plan) -> Iterator[PlanView]:
        for variant in plan.variants or (None,):
            name = plan.id if variant is None else f"{plan.id}-{variant}"
            price = (plan.price or Decimal(0)) * (1 if variant is None else variant)
            lines = tuple(self._line(plan, line, variant, price) for line in plan.lines)
            delivered = [line.available for line in lines]
            yield PlanView(
                id=name,
                title=plan.title.replace("{n}", str(variant or "")),
                platform=plan.platform,
                group=plan.group,
                kind=plan.kind,
                unit=plan.unit,
                price=price,
                minimum=plan.minimum,
                step=plan.step,
                maximum=plan.maximum,
                presets=plan.presets,
                lines=lines,
                asset=name,
                on_sale=plan.on_sale and any(delivered) and (plan.kind == "credits" or all(delivered)),
                questions=plan.questions,
                family=plan.id if plan.variants else "",
                variant=variant,
            )

    def _line(self, plan: Plan, line: PlanLine, variant: int | None, price: Decimal) -> LineView:
        quantity = line.quantity if isinstance(line.quantity, int) else (variant or 0)
        least = plan.minimum if plan.kind == "goods" else 1
        sold = bool(self._panel_phases(plan.platform, line.metric, quantity * least, price * line.share * least))
        channel = "panel" if line.panel and sold else line.channel
        delivered = sold if channel == "panel" else channel in self._channels
        return LineView(line.metric, quantity, channel, line.share, delivered, line.verified)

    def line(self, platform: str, line: PlanLine, quantity: int, price: Decimal) -> LineView:
        """A line of a unit at this price, and whether anybody delivers it."""
        delivered = line.channel in self._channels
        if line.channel == "panel":
            delivered = bool(self._panel_phases(platform, line.metric, quantity, price * line.share))
        return LineView(line.metric, quantity, line.channel, line.share, delivered, line.verified)


def refund_cents(lot_price: Decimal, share: Decimal, undelivered: int = 1, quantity: int = 1) -> int:
    """Lot price x share x undelivered fraction, rounded down to the cent."""
    return floor_money(lot_price * share * undelivered / quantity, USD).minor
