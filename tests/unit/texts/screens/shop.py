"""Cases of `texts.shop`: the catalogue as shipped, and a plan nobody would sell."""

from __future__ import annotations

from decimal import Decimal

from tests.support.boosts import config
from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.boosts.api import BadQuantity, UnknownPlan
from viralcore.boosts.domain.plans import Catalogue
from viralcore.bot.user.views import plan_text
from viralcore.texts import errors, shop
from viralcore.texts.shop import LineText, PlanText

_CATALOGUE = Catalogue(config())


def _shipped(plan_id: str) -> PlanText:
    return plan_text(_CATALOGUE.get(plan_id))


TIERS = tuple(_shipped(f"t{n}") for n in range(1, 6))
TGT = tuple(_shipped(f"tgt-{n}") for n in (5, 10, 15, 20, 25, 30))
DAILY = _shipped("slow_push")
AUTOMATION = _shipped("tg_automation")
ODD = PlanText(
    id="custom-1234567890",
    title=hostile.TITLE,
    unit="post",
    price=Decimal("1234.5"),
    minimum=1,
    step=1,
    presets=(1, 1000),
    lines=(LineText("likes", 1, later=False), LineText("views", 1_000_000, later=False)),
    back="g:x:custom",
)
_BAD = BadQuantity(minimum=10, maximum=10_000, step=10, asked=7)

CASES: Cases = {
    "service_menu": {
        "both": shop.service_menu(platforms=["x", "telegram"]),
        "one": shop.service_menu(platforms=["x"]),
        "a reply guy": shop.service_menu(platforms=["x", "telegram"], reply_guy=True),
    },
    "platform": {
        "x": shop.platform(
            name="x",
            groups=["engagement", "followers", "poll"],
            contacts=[("special", "Special"), ("giveaway", "Giveaway")],
            contact=hostile.CONTACT,
        ),
        "telegram, nothing but a person": shop.platform(
            name="telegram", groups=[], contacts=[("extra", "Extra")], contact=hostile.CONTACT
        ),
        "everything on telegram": shop.platform(
            name="telegram",
            groups=["engagement", "premium", "automation", "new_group"],
            contacts=[],
            contact=hostile.CONTACT,
        ),
    },
    "contact_entry": {
        "special": shop.contact_entry(title="Special", contact=hostile.CONTACT, back="p:x"),
        "a title with markup": shop.contact_entry(title=hostile.TITLE, contact=hostile.CONTACT, back="p:x"),
    },
    "group": {
        "the tiers": shop.group(name="engagement", of="x", plans=TIERS),
        "telegram engagement": shop.group(name="engagement", of="telegram", plans=TGT),
        "a title with markup": shop.group(name="engagement", of="x", plans=[ODD]),
    },
    "sizes": {
        "comments a post": shop.sizes(
            name="engagement",
            of="telegram",
            choices=[(n, one.id, one.price) for n, one in zip((5, 10, 15, 20, 25, 30), TGT, strict=True)],
        )
    },
    "plan": {
        "tier 3": shop.plan(TIERS[2]),
        "tier 5, with verified accounts": shop.plan(TIERS[4]),
        "daily followers, in steps": shop.plan(DAILY),
        "automation, from one month": shop.plan(AUTOMATION),
        "a title with markup, one like": shop.plan(ODD),
    },
    "ask_quantity": {
        "tier 3": shop.ask_quantity(TIERS[2]),
        "in steps": shop.ask_quantity(DAILY),
        "a title with markup": shop.ask_quantity(ODD),
    },
    "bad_quantity": {"out of bounds": shop.bad_quantity(DAILY, errors.words(_BAD))},
    "buy_usage": {"an example": shop.buy_usage(example="t3")},
    "with_note": {
        "unknown plan": shop.with_note(
            errors.words(UnknownPlan(plan_id="nope")), shop.service_menu(platforms=["x", "telegram"])
        ),
        "how to type it": shop.with_note(shop.buy_usage(example="t3"), shop.service_menu(platforms=["x", "telegram"])),
    },
}
