"""Panels looked after: lists of services, quarantine, the owner's choice, refills and cancels, records and hints."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.boosts.conftest import ADA, Shop
from viralcore.boosts.api import BadService, CannotAsk, OrderView, RequestView
from viralcore.boosts.domain.panels import Declined, Placed, Silent
from viralcore.boosts.domain.services import Offer
from viralcore.core.errors import NotFound
from viralcore.core.money import usd
from viralcore.users.api import NotAllowed

OWNER, LIKES, VIEWS = 1000, "101", "102"


def offer(service: str = LIKES, rate: str = "0.90", **changes: Any) -> Offer:
    plain = Offer(service, "X Likes", "Default", "X", Decimal(rate), 10, 50_000, refill=True, cancel=True)
    return replace(plain, **changes)


SHELF = (
    offer(),
    offer(VIEWS, "0.012", name="X Views", minimum=100, maximum=1_000_000, refill=False),
    offer("103", "6.50", name="X Comments", minimum=5, maximum=2_000),
    offer("104", "1.80", name="X Reposts", maximum=10_000),
    offer("105", "0.70", name="X Likes, cheap"),
    offer("106", "9", name="X Custom Comments", kind="Custom Comments"),
)


async def listed(shop: Shop, *changed: Offer, without: str = "") -> None:
    """The first panel lists its services, some of them otherwise; a day later its list is read."""
    shelf = {one.service: one for one in (*SHELF, *changed)}
    shelf.pop(without, None)
    shop.panels["smmflare"].listed = shelf
    shop.clock.advance(24 * 3600)
    await shop.job("boosts.services")


async def service(shop: Shop, metric: str = "likes") -> Any:
    page = await shop.door.panel_care.page(panel="smmflare")
    return next(one for one in page.services if one.metric == metric)


async def sent(shop: Shop, count: int = 1) -> list[tuple[str, str]]:
    """Where the first parts of new orders go: (panel, service) of their likes."""
    await shop.grant(count)
    number = shop.clock.now().timestamp()
    orders = await shop.order(*(f"https://x.com/shop/status/{int(number)}{one}" for one in range(count)))
    await shop.turn(30, poll=False)
    found = [p for order in orders for p in (await shop.see(order.id)).phases if p.metric == "likes" and p.number == 1]
    rows = await shop.rows("SELECT id, service FROM boosts.phases")
    ids = {row.id: row.service for row in rows}
    return [(phase.panel or "", ids[phase.id] or "") for phase in found]


async def test_small_changes_are_taken_over_and_kept_to_be_seen(shop: Shop) -> None:
    await listed(shop)
    await listed(shop, offer(rate="1.00", minimum=50))
    one = await service(shop)
    assert (one.rate, one.agreed_rate, one.minimum, one.state) == (Decimal("1.00"), Decimal("0.90"), 50, "ok")
    page = await shop.door.panel_care.page(panel="smmflare")
    assert [(c.what, c.before, c.after, c.quarantined) for c in reversed(page.changes)] == [
        ("price", "0.9", "1", False),
        ("minimum", "10", "50", False),
    ]
    assert await sent(shop) == [("plugsmm", "2101")]  # 38 likes are below what the first panel takes now
    assert await shop.events("panel_trouble") == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rate": Decimal("1.09")}, "price"),
        ({"rate": Decimal("0.71")}, "price"),
        ({"kind": "Custom Comments"}, "kind"),
        ({}, "vanished"),
    ],
)
async def test_what_jumps_or_vanishes_is_not_used_until_an_owner_says_so(
    shop: Shop, change: dict[str, Any], reason: str
) -> None:
    await listed(shop)
    if change:
        await listed(shop, replace(offer(), **change))
    else:
        await listed(shop, without=LIKES)
    one = await service(shop)
    assert (one.state, one.reason) == ("quarantined", reason)
    assert await sent(shop) == [("plugsmm", "2101")]
    (told,) = await shop.events("panel_trouble")
    assert (told["panel"], told["what"]) == ("smmflare", "services")
    # back as it was: still an owner's to say
    await listed(shop)
    assert (await service(shop)).state == "quarantined"
    assert len(await shop.events("panel_trouble")) == 1
    await choose(shop, LIKES, "0.90")
    assert await sent(shop) == [("smmflare", LIKES)]


async def choose(
    shop: Shop,
    given: str,
    rate: str,
    *,
    actor: int = OWNER,
    key: str = "c",
    metric: str = "likes",
    platform: str = "x",
) -> None:
    await shop.door.panel_care.choose_service(
        key=key, actor=actor, panel="smmflare", platform=platform, metric=metric, service=given, rate=Decimal(rate)
    )


async def test_many_small_steps_are_a_jump_too(shop: Shop) -> None:
    for rate in ("0.90", "1.00", "1.07"):
        await listed(shop, offer(rate=rate))
        assert (await service(shop)).state == "ok"
    await listed(shop, offer(rate="1.10"))
    assert (await service(shop)).reason == "price"


async def test_a_list_that_cannot_be_read_changes_nothing(shop: Shop) -> None:
    await listed(shop)
    shop.panels["smmflare"].listed = {}
    shop.clock.advance(24 * 3600)
    await shop.job("boosts.services")
    assert (await service(shop)).state == "ok"
    # it is left alone for a while, unless somebody asks
    await listed_again(shop, "1.00", minutes=1)
    assert (await service(shop)).rate == Decimal("0.90")
    await shop.door.panel_care.ask_services(key="a", actor=OWNER, panel="smmflare")
    await shop.job("boosts.services")
    assert (await service(shop)).rate == Decimal("1.00")


async def listed_again(shop: Shop, rate: str, *, minutes: int) -> None:
    """The list is back, with likes at this price, and the clock looks."""
    shop.panels["smmflare"].listed = {one.service: one for one in (*SHELF, offer(rate=rate))}
    shop.clock.advance(60 * minutes)
    await shop.job("boosts.services")


async def test_giving_a_service_id_moves_lines_of_the_team_and_of_groups_to_the_panel(shop: Shop) -> None:
    """Followers at once move, those spread over days cannot: a panel is told a link and a number only."""
    followers = offer("301", "4.00", name="X Followers", minimum=100, maximum=100_000)
    reactions = offer("302", "0.50", name="Telegram Reactions", minimum=5, maximum=5_000)
    await listed(shop, followers, reactions)
    plans = {plan.id: plan.lines[-1] for plan in shop.door.plans() if plan.lines}
    assert {plans[name].channel for name in ("direct_add", "slow_push")} == {"staff"}
    assert plans["tgt-15"].channel == "crowd"

    shown = await shop.door.panel_care.offer(panel="smmflare", platform="x", metric="followers", service="301")
    assert (shown.plans, shown.others) == (("X followers, at once",), ("X followers, daily",))
    await choose(shop, "301", "4.00", metric="followers")
    shown = await shop.door.panel_care.offer(panel="smmflare", platform="telegram", metric="reactions", service="302")
    assert (shown.plans, shown.others) == (("Telegram engagement",), ())
    await choose(shop, "302", "0.50", metric="reactions", platform="telegram", key="r")
    shown = await shop.door.panel_care.offer(panel="smmflare", platform="x", metric="comments", service="103")
    assert shown.plans == ()
    assert shown.others == ("X Tier 1", "X Tier 2", "X Tier 3", "X Tier 4", "X Tier 5", "custom plans")

    plans = {plan.id: plan.lines[-1] for plan in shop.door.plans() if plan.lines}
    assert {plans[name].channel for name in ("direct_add", "tgt-15")} == {"panel"}
    assert plans["slow_push"].channel == "staff"
    request = await shop.door.goods.begin(key="b", user_id=ADA, plan_id="direct_add", quantity=1000)
    assert isinstance(request, RequestView)
    await shop.door.goods.answer(key="", user_id=ADA, request_id=request.id, question="profile_link", text="@shop")
    invoice = await shop.door.goods.invoice(key="", user_id=ADA, request_id=request.id)
    await shop.paid(invoice, "direct_add", 1000, 1000)
    (order,) = await shop.door.orders(user_id=ADA)
    assert [(phase.metric, phase.quantity) for phase in order.phases] == [("followers", 500), ("followers", 500)]
    await shop.turn(30, poll=False)
    assert [one.panel for one in (await shop.see(order.id)).phases] == ["smmflare", None]


async def test_an_owner_chooses_a_service_from_the_list_and_it_is_used_and_audited(shop: Shop) -> None:
    await listed(shop)
    shown = await shop.door.panel_care.offer(panel="smmflare", platform="x", metric="likes", service="105")
    assert (shown.name, shown.rate) == ("X Likes, cheap", Decimal("0.70"))
    with pytest.raises(NotAllowed):
        await choose(shop, "105", "0.70", actor=ADA, key="x")
    await choose(shop, "105", "0.70")
    await choose(shop, "105", "0.70")
    assert await sent(shop) == [("smmflare", "105")]
    (row,) = shop.users.audited
    assert (row["action"], row["before"]["service"], row["after"]["service"]) == ("boosts.service_chosen", "101", "105")
    await listed(shop)  # the settings still say 101: the owner's row stands
    assert (await service(shop)).service == "105"


@pytest.mark.parametrize(
    ("given", "reason"), [("999", "unknown"), ("106", "kind"), ("105", "moved"), ("", "unknown"), ("x' OR", "unknown")]
)
async def test_a_service_that_cannot_be_used_is_refused_with_the_reason(shop: Shop, given: str, reason: str) -> None:
    with pytest.raises(BadService) as unread:
        await shop.door.panel_care.offer(panel="smmflare", platform="x", metric="likes", service=given)
    assert unread.value.fields["reason"] == "unread"
    await listed(shop)
    with pytest.raises(BadService) as refused:
        await choose(shop, given, "0.60")
    assert refused.value.fields["reason"] == reason
    with pytest.raises(BadService):
        await shop.door.panel_care.offer(panel="smmflare", platform="x", metric="months", service="105")
    with pytest.raises(NotFound):
        await shop.door.panel_care.offer(panel="nobody", platform="x", metric="likes", service="105")


async def test_a_service_left_out_is_not_used(shop: Shop) -> None:
    await listed(shop)
    await shop.door.panel_care.leave_out(key="l", actor=OWNER, panel="smmflare", platform="x", metric="likes")
    assert await sent(shop) == [("plugsmm", "2101")]
    await listed(shop, offer(rate="9"))
    assert (await service(shop)).reason == "owner"


async def test_a_list_is_read_at_once_when_somebody_asks(shop: Shop) -> None:
    await listed(shop)
    shop.panels["smmflare"].listed[LIKES] = offer(rate="1.00")
    await shop.job("boosts.services")
    assert (await service(shop)).rate == Decimal("0.90")
    await shop.door.panel_care.ask_services(key="a", actor=OWNER, panel="smmflare")
    assert (await shop.door.panel_care.page(panel="smmflare")).sync_asked
    await shop.job("boosts.services")
    assert (await service(shop)).rate == Decimal("1.00")
    assert not (await shop.door.panel_care.page(panel="smmflare")).sync_asked


async def test_the_panel_an_owner_prefers_is_asked_first(shop: Shop) -> None:
    await shop.door.panel_care.prefer(key="p", actor=OWNER, panel="smmstone")
    assert [panel.name for panel in await shop.door.panels()] == ["smmstone", "smmflare", "plugsmm"]
    assert (await shop.door.panels())[0].preferred
    assert await sent(shop) == [("smmstone", "3301")]


# --- records ---------------------------------------------------------------------------------------------------------


async def test_a_panel_that_refuses_falls_behind_when_there_is_enough_to_judge_by(shop: Shop) -> None:
    await shop.grant(30)
    shop.panels["smmflare"].always = Declined("other", "Sorry")
    await shop.order(*(f"https://x.com/shop/status/{number}" for number in range(1, 6)))
    await shop.turn(30)
    await shop.job("boosts.rates")
    assert (await shop.door.panels())[0].name == "smmflare"  # ten orders say little
    await shop.order(*(f"https://x.com/shop/status/{number}" for number in range(6, 12)))
    await shop.turn(30)
    await shop.job("boosts.rates")
    assert [panel.name for panel in await shop.door.panels()] == ["plugsmm", "smmstone", "smmflare"]
    page = await shop.door.panel_care.page(panel="smmflare")
    assert (page.success, page.samples) == (Decimal(0), 32)


async def test_what_we_spend_says_how_long_a_balance_lasts(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    await shop.turn(30)
    shop.panels["smmflare"].complete()
    await shop.turn(15)
    await shop.job("boosts.rates")
    view = (await shop.door.panels())[0]
    page = await shop.door.panel_care.page(panel="smmflare")
    # two orders of 0.10; a day is the least anybody can tell
    assert (page.spent_a_day, view.days_left) == (Decimal("0.2000"), Decimal("500.0"))
    assert (page.first_seconds, page.cancelled) == (900, Decimal(0))


async def test_a_balance_that_does_not_last_is_told_once_until_it_lasts_again(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    await shop.turn(30)
    shop.panels["smmflare"].complete()
    panel = shop.panels["smmflare"]

    async def left(money: str) -> list[str]:
        panel.money = Decimal(money)
        await shop.turn(15)
        await shop.job("boosts.rates")
        told = await shop.events("panel_trouble")
        return [each["detail"] for each in told if each["what"] == "runway"]

    # we spend 0.20 there a day
    assert await left("100") == []
    once = await left("0.58")
    assert once == ["2.9 days (0.58 USD)"]
    assert await left("0.40") == once
    assert await left("0.70") == once  # not over yet: else a number that wavers would be told each time
    assert await left("0.40") == once
    assert await left("0.80") == once
    assert len(await left("0.50")) == 2


async def test_the_card_of_an_unknown_send_shows_what_the_balance_did(shop: Shop) -> None:
    await listed(shop)
    panel = shop.panels["smmflare"]
    await shop.grant(10)
    await shop.order()
    panel.script = [Silent("read_timeout"), lambda: Placed(panel.accept(VIEWS, "x", 3500))]
    await shop.turn(29)
    panel.money = Decimal("100")
    await shop.turn(1)
    (phase,) = await shop.door.unknown_phases()
    assert phase.hint is None
    panel.money = Decimal("99.92")
    await shop.turn(0.5)
    (phase,) = await shop.door.unknown_phases()
    cost = {"likes": Decimal("0.0342"), "views": Decimal("0.042")}
    other = cost["views" if phase.metric == "likes" else "likes"]
    assert phase.hint is not None
    assert (phase.hint.spent, phase.hint.cost, phase.hint.others, phase.hint.orders) == (
        Decimal("0.08"),
        cost[phase.metric],
        other,
        1,
    )


# --- refill and cancel -----------------------------------------------------------------------------------------------


async def completed(shop: Shop) -> OrderView:
    await listed(shop)
    await shop.grant(10)
    (order,) = await shop.order()
    await shop.turn(30)
    await shop.turn(30)
    shop.panels["smmflare"].complete()
    await shop.job("boosts.poll")
    return order


async def test_a_buyer_asks_for_a_refill_within_what_is_offered(shop: Shop) -> None:
    order = await completed(shop)
    care = shop.door.panel_care
    with pytest.raises(CannotAsk):
        await care.refill(key="r", user_id=ADA, order_id=order.id)
    shop.clock.advance(24 * 3600)
    assert await care.can_refill(order_id=order.id)
    with pytest.raises(NotFound):
        await care.refill(key="r", user_id=ADA + 1, order_id=order.id)
    assert await care.refill(key="r", user_id=ADA, order_id=order.id) == 2  # the likes; views are not refilled
    assert await care.refill(key="r", user_id=ADA, order_id=order.id) == 2
    with pytest.raises(CannotAsk):
        await care.refill(key="r2", user_id=ADA, order_id=order.id)
    await shop.send()
    panel = shop.panels["smmflare"]
    assert [what for what, _ in panel.requests] == ["refill", "refill"]
    panel.refilled = {"1": "done", "2": "rejected"}
    shop.clock.advance(1800)
    await shop.job("boosts.refills")
    found = [one.state for p in await care.placements(order_id=order.id) for one in p.requests]
    assert sorted(found) == ["done", "rejected"]
    told = [one["state"] for one in await shop.events("panel_asked")]
    assert sorted(told) == ["accepted", "accepted", "done", "rejected"]
    shop.clock.advance(40 * 24 * 3600)
    assert not await care.can_refill(order_id=order.id)


@pytest.mark.parametrize(
    ("answer", "state"), [(Declined("other", "Refill days are over"), "refused"), (Silent("read_timeout"), "unknown")]
)
async def test_a_refill_that_is_refused_or_unanswered_is_told_and_may_be_asked_again(
    shop: Shop, answer: Any, state: str
) -> None:
    order = await completed(shop)
    shop.clock.advance(24 * 3600)
    care = shop.door.panel_care
    likes = next(p for p in await care.placements(order_id=order.id) if p.metric == "likes")
    shop.panels["smmflare"].answers = [answer]
    await care.ask(key="a", actor=OWNER, phase_id=likes.phase_id, what="refill")
    await shop.send()
    (told,) = await shop.events("panel_asked")
    assert told["state"] == state
    await care.ask(key="b", actor=OWNER, phase_id=likes.phase_id, what="refill")
    assert shop.users.audited[-1]["action"] == "boosts.refill_asked"


@pytest.mark.parametrize(("answer", "again"), [(None, 0), (Silent("read_timeout"), 0), (Declined("other", "No"), 1)])
async def test_what_staff_cancel_at_a_panel_is_refunded_and_not_ordered_elsewhere(
    shop: Shop, answer: Any, again: int
) -> None:
    await listed(shop)
    await shop.grant(10)
    (order,) = await shop.order()
    await shop.turn(30)
    care, panel = shop.door.panel_care, shop.panels["smmflare"]
    likes = next(p for p in await care.placements(order_id=order.id) if p.metric == "likes")
    assert likes.can_cancel
    with pytest.raises(NotAllowed):
        await care.ask(key="c", actor=ADA, phase_id=likes.phase_id, what="cancel")
    panel.answers = [] if answer is None else [answer]
    await care.ask(key="c", actor=OWNER, phase_id=likes.phase_id, what="cancel")
    with pytest.raises(CannotAsk):
        await care.ask(key="c2", actor=OWNER, phase_id=likes.phase_id, what="cancel")
    await shop.send()
    panel.end(likes.panel_order, "partial", 20)
    await shop.job("boosts.poll")
    await shop.turn(1)
    assert len(shop.panels["plugsmm"].orders) == again


async def test_only_one_request_of_a_kind_is_open(shop: Shop) -> None:
    """The database says so, too."""
    order = await completed(shop)
    shop.clock.advance(24 * 3600)
    await shop.door.panel_care.refill(key="r", user_id=ADA, order_id=order.id)
    rows = await shop.rows("SELECT * FROM boosts.requests ORDER BY id LIMIT 1")
    with pytest.raises(Exception, match="requests_one_open"):
        async with shop.database.transaction() as tx:
            await tx.conn.execute(
                text(
                    "INSERT INTO boosts.requests (phase_id, order_id, what, state, panel, panel_order, asked_by,"
                    " created_at) SELECT phase_id, order_id, what, state, panel, panel_order, asked_by, created_at"
                    f" FROM boosts.requests WHERE id = {rows[0].id}"
                )
            )


async def test_what_open_orders_still_cost_is_counted_by_what_owners_have_chosen(shop: Shop) -> None:
    """75 likes and 7,000 views: by the settings at 1.20 and 0.02, by the owner's choice the likes at 12."""
    await listed(shop, offer("107", "12", name="X Likes, dear"))
    await shop.grant(1)
    await shop.order()
    assert await shop.door.unspent() == usd("0.23")
    await choose(shop, "107", "12")
    assert await shop.door.unspent() == usd("1.04")
    shelves = shop.module.service._unspent._shelves
    shelves.lay_out([], {})
    shelves._read_at = None  # as in a process that chose nothing itself
    assert await shop.door.unspent() == usd("1.04")
    await shop.door.panel_care.leave_out(key="1", actor=OWNER, panel="smmflare", platform="x", metric="likes")
    assert await shop.door.unspent() == usd("0.23")
    for panel in ("plugsmm", "smmstone"):
        await shop.door.panel_care.leave_out(key=panel, actor=OWNER, panel=panel, platform="x", metric="likes")
    assert await shop.door.unspent() == usd("1.04"), "what nobody sells now may be sold again"
