"""The frozen settings of boosts: plans.toml, schedule.toml, panels.toml, replies.toml; the panels' addresses, keys."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from viralcore.boosts.api import Channel, Metric

Means = Literal["funds", "busy", "quantity", "link", "service", "config"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(f'must be written in "quotes", as an exact decimal: "{value}"')
    return value


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Positive = Annotated[int, Field(gt=0)]
Price = Annotated[Exact, Field(gt=0, decimal_places=6, max_digits=12)]
Share = Annotated[Exact, Field(gt=0, le=1)]
Word = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,15}$")]


Question = Literal["poll_link", "poll_option", "profile_link", "days", "channel"]


class PlanLine(_Frozen):
    """One thing a unit delivers. `verified`: how many of them by verified accounts. `panel`: moved to the panels as
    soon as one in use has a service for it; until then its channel delivers it."""

    metric: Metric
    quantity: Positive | Literal["variant"]
    channel: Channel
    share: Share
    verified: Annotated[int, Field(ge=0)] = 0
    panel: bool = False


class Plan(_Frozen):
    """A row of the catalogue, or a family of them when it has variants."""

    id: Name
    title: Word
    platform: Literal["x", "telegram"]
    group: Name
    kind: Literal["credits", "goods", "contact"]
    unit: str = ""
    price: Price | None = None
    minimum: Positive = 1
    step: Positive = 1
    maximum: Positive = 100_000
    presets: tuple[Positive, ...] = ()
    variants: tuple[Positive, ...] = ()
    on_sale: bool = True
    questions: tuple[Question, ...] = ()
    lines: tuple[PlanLine, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Plan:
        wrong = (*self._wrong_shape(), *self._wrong_lines())
        if wrong:
            raise ValueError(f"{self.id}: {'; '.join(wrong)}")
        return self

    def _wrong_shape(self) -> tuple[str, ...]:
        wrong: list[str] = []
        if self.kind == "contact":
            if self.price is not None or self.lines:
                wrong.append("a contact entry has no price and no lines")
            return tuple(wrong)
        if self.price is None or not self.unit:
            wrong.append("price and unit are needed to sell it")
        if self.minimum > self.maximum:
            wrong.append("minimum is above maximum")
        if self.minimum % self.step:
            wrong.append("minimum is not a multiple of step")
        for preset in self.presets:
            if not self.minimum <= preset <= self.maximum or preset % self.step:
                wrong.append(f"preset {preset} is not a quantity it can be bought in")
        if len(set(self.variants)) != len(self.variants):
            wrong.append("a variant is named twice")
        if self.variants and "{n}" not in self.title:
            wrong.append("title needs {n}, the number of the variant")
        return tuple(wrong)

    def _wrong_lines(self) -> tuple[str, ...]:
        if self.kind == "contact":
            return ()
        wrong: list[str] = []
        if not self.lines:
            wrong.append("it delivers nothing: lines are missing")
        total = sum((line.share for line in self.lines), Decimal(0))
        if self.lines and total != 1:
            wrong.append(f"the shares of its lines add up to {total}, not to 1")
        keys = [(line.metric, line.channel) for line in self.lines]
        if len(set(keys)) != len(keys):
            wrong.append("two lines have the same metric and channel")
        for line in self.lines:
            if line.quantity == "variant" and not self.variants:
                wrong.append('a line\'s quantity is "variant", but there are no variants')
            if isinstance(line.quantity, int) and line.verified > line.quantity:
                wrong.append(f"{line.metric}: more by verified accounts than there are")
        return (*wrong, *self._wrong_goods())

    def _wrong_goods(self) -> tuple[str, ...]:
        """Goods are about something, and a panel is told no more than that."""
        wrong: list[str] = []
        asked = [one for one in self.questions if one in ("poll_link", "profile_link", "channel")]
        if self.kind == "goods" and len(asked) != 1:
            wrong.append("goods ask for one link: poll_link, profile_link or channel")
        if self.kind == "credits" and self.questions:
            wrong.append("only goods ask questions")
        if len(set(self.questions)) != len(self.questions):
            wrong.append("a question is asked twice")
        told = set(self.questions) <= {"profile_link", "channel"}
        if self.kind == "goods" and not told and any(line.panel or line.channel == "panel" for line in self.lines):
            wrong.append("a panel is told a link and a number only: what else it asks needs staff")
        return tuple(wrong)


class Part(_Frozen):
    """One phase: so many minutes after the order, such a part of each line."""

    minutes: Annotated[int, Field(ge=0)]
    share: Share


class Schedule(_Frozen):
    phases: Annotated[tuple[Part, ...], Field(min_length=1, max_length=20)]
    dispatch_seconds: Positive
    dispatch_orders: Positive
    poll_seconds: Positive
    poll_phases: Positive
    panels_seconds: Positive
    balance_minutes: Positive
    busy_retry_minutes: Positive
    retry_minutes: Annotated[tuple[Positive, ...], Field(min_length=1)]
    refused_hours: Positive
    outage_hours: Positive
    busy_hours: Positive
    repeat_trouble_hours: Positive
    figures_hours: Positive

    @model_validator(mode="after")
    def _whole(self) -> Schedule:
        total = sum((part.share for part in self.phases), Decimal(0))
        if total != 1:
            raise ValueError(f"the shares of the phases add up to {total}, not to 1")
        minutes = [part.minutes for part in self.phases]
        if sorted(set(minutes)) != minutes:
            raise ValueError("the minutes of the phases must rise")
        return self


class Care(_Frozen):
    """How panels are looked after: their lists, their record, and what is asked of them after an order ended."""

    sync_hours: Positive
    sync_retry_minutes: Positive
    price_jump: Share
    kinds: Annotated[tuple[Word, ...], Field(min_length=1)]
    correction_hours: Positive
    correction_minutes: Positive
    correction_phases: Positive
    refill_after_hours: Positive
    refill_days: Positive
    refill_poll_minutes: Positive
    refill_patience_days: Positive
    rates_minutes: Positive
    rates_days: Positive
    rates_samples: Positive
    rates_step: Share
    slow_minutes: Positive
    runway_days: Positive
    runway_alert_days: Positive
    runway_over_days: Positive
    balances_days: Positive
    stuck_days: Positive
    stuck_minutes: Positive
    stuck_look_minutes: Positive
    stuck_cards: Positive

    @model_validator(mode="after")
    def _over(self) -> Care:
        if self.runway_over_days < self.runway_alert_days:
            raise ValueError("runway_over_days is below runway_alert_days: staff would be told again and again")
        return self


class Drafts(_Frozen):
    minutes: Positive
    keep_days: Positive
    max_links: Annotated[int, Field(gt=0, le=100)]
    max_link_length: Annotated[int, Field(ge=60, le=2000)]


class Estimates(_Frozen):
    """From how many finished orders the time of the next one is told."""

    orders: Positive
    at_least: Positive
    days: Positive


class CustomLine(_Frozen):
    """Who delivers a metric of a custom plan, and what one of it weighs in the price."""

    metric: Metric
    channel: Channel
    weight: Annotated[Exact, Field(gt=0)]


class Custom(_Frozen):
    """The rules of plans made for one person."""

    lines: Annotated[tuple[CustomLine, ...], Field(min_length=1)]
    most_per_post: Positive
    most_posts: Positive
    most_price: Price

    @model_validator(mode="after")
    def _all_of_them(self) -> Custom:
        named = sorted(line.metric for line in self.lines)
        if named != ["comments", "likes", "reposts", "views"]:
            raise ValueError("lines: likes, views, comments and reposts are needed, each once")
        return self


class CrowdConfig(_Frozen):
    """How posts are given to groups, and for how long what is missing is waited for."""

    per_group: Positive
    interval_minutes: Annotated[int, Field(ge=10, le=40)]
    dispatch_seconds: Positive
    dispatch_messages: Positive
    open_hours: Positive
    review_hours: Positive
    without_groups_minutes: Positive
    claim_minutes: Positive
    tries: Positive
    edit_seconds: Positive
    max_proofs: Annotated[int, Field(ge=1, le=20)]


class Goods(_Frozen):
    """`hours`: how long a request waits for its answers; `poll_options`, `most_days`: limits of the questions."""

    hours: Positive
    poll_options: Annotated[int, Field(ge=2, le=10)]
    most_days: Positive


class StaffRules(_Frozen):
    """`remind_hours`: a card that nobody moved for so long is shown again. `crowd_lines`: whether what is meant for the
    groups becomes a card where no group can take it; else its part of the price goes back."""

    crowd_lines: bool
    look_seconds: Positive
    remind_hours: Positive


Naira = Annotated[Exact, Field(gt=0, decimal_places=2, max_digits=12)]


class ReplyGuys(_Frozen):
    """settings/replies.toml."""

    per_reply: Naira
    paid_metrics: tuple[Metric, ...]
    time_zone: str
    days_back: Annotated[int, Field(ge=0, le=7)]
    max_count: Annotated[int, Field(gt=0, le=10_000)]
    max_links: Annotated[int, Field(gt=0, le=100)]
    max_link_length: Annotated[int, Field(ge=60, le=2000)]
    longest_reason: Annotated[int, Field(ge=20, le=1000)]
    largest_bonus: Naira
    bars: Annotated[int, Field(ge=7, le=31)]

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"there is no time zone {name}")
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class ErrorWords(_Frozen):
    means: Means
    words: Annotated[tuple[Word, ...], Field(min_length=1)]


class Dialect(_Frozen):
    """How a family of panel scripts words its refusals; the first row that fits decides."""

    errors: Annotated[tuple[ErrorWords, ...], Field(min_length=1)]


class StatusWords(_Frozen):
    pending: tuple[Word, ...]
    running: tuple[Word, ...]
    completed: Annotated[tuple[Word, ...], Field(min_length=1)]
    partial: Annotated[tuple[Word, ...], Field(min_length=1)]
    canceled: Annotated[tuple[Word, ...], Field(min_length=1)]
    rejected: Annotated[tuple[Word, ...], Field(min_length=1)]


class Service(_Frozen):
    """What a panel sells under an id. `rate`: its price per 1,000 in its currency."""

    platform: Literal["x", "telegram"]
    metric: Metric
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
    minimum: Positive
    maximum: Positive
    rate: Annotated[Exact, Field(ge=0)]

    @model_validator(mode="after")
    def _ordered(self) -> Service:
        if self.minimum > self.maximum:
            raise ValueError(f"{self.id}: minimum is above maximum")
        return self


class PanelConfig(_Frozen):
    """One panel. `environment`: the prefix of its address and key in the environment."""

    name: Name
    environment: Literal["smmflare", "plugsmms", "smmstone"]
    dialect: Name
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    pace_per_second: Positive
    parallelism: Positive
    connect_seconds: Positive
    read_seconds: Positive
    low_balance: Annotated[Exact, Field(ge=0)]
    services: tuple[Service, ...]

    @model_validator(mode="after")
    def _one_each(self) -> PanelConfig:
        keys = [(service.platform, service.metric) for service in self.services]
        if len(set(keys)) != len(keys):
            raise ValueError(f"{self.name}: two services for the same platform and metric")
        return self

    def service(self, platform: str, metric: str) -> Service | None:
        """Its service for a metric, if it sells it."""
        return next((one for one in self.services if (one.platform, one.metric) == (platform, metric)), None)


class BoostsConfig(_Frozen):
    """Everything boosts is told. The last block comes from the environment, under the same names in capitals."""

    plans: Annotated[tuple[Plan, ...], Field(min_length=1)]
    custom: Custom
    schedule: Schedule
    drafts: Drafts
    estimates: Estimates
    crowd: CrowdConfig
    goods: Goods
    staff: StaffRules
    replies: ReplyGuys
    dialects: dict[str, Dialect]
    statuses: StatusWords
    care: Care
    panels: Annotated[tuple[PanelConfig, ...], Field(min_length=1)]

    admin_likes_group_enabled: bool = False
    admin_likes_group_chat_id: int | None = None
    smmflare_api_key: SecretStr | None = None
    plugsmms_api_key: SecretStr | None = None
    smmstone_api_key: SecretStr | None = None
    smmflare_base_url: str = "https://smmflare.com/api/v2"
    plugsmms_base_url: str = "https://plugsmms.com/api/v2"
    smmstone_base_url: str = "https://smmstone.com/api/v2"

    @model_validator(mode="after")
    def _consistent(self) -> BoostsConfig:
        wrong = [*self._twice("plan", [plan.id for plan in self.plans])]
        wrong += self._twice("panel", [panel.name for panel in self.panels])
        wrong += [
            f"panel {panel.name}: there is no dialect {panel.dialect}"
            for panel in self.panels
            if panel.dialect not in self.dialects
        ]
        words = [
            word
            for row in ("pending", "running", "completed", "partial", "canceled", "rejected")
            for word in getattr(self.statuses, row)
        ]
        wrong += self._twice("status word", words)
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @staticmethod
    def _twice(what: str, names: list[str]) -> list[str]:
        return [f"{what} {name} is named twice" for name in sorted({name for name in names if names.count(name) > 1})]

    def base_url(self, panel: PanelConfig) -> str:
        """Where a panel is reached."""
        return str(getattr(self, f"{panel.environment}_base_url"))

    def api_key(self, panel: PanelConfig) -> SecretStr | None:
        """The key we have there; None: the panel is not used."""
        key: Any = getattr(self, f"{panel.environment}_api_key")
        return key if isinstance(key, SecretStr) else None

    @property
    def likes_group(self) -> int | None:
        """The chat that is the likes group until staff say otherwise."""
        return self.admin_likes_group_chat_id if self.admin_likes_group_enabled else None

    @property
    def usable_panels(self) -> tuple[PanelConfig, ...]:
        """Panels with a key, in order of preference."""
        return tuple(panel for panel in self.panels if self.api_key(panel) is not None)
