"""Every plan of the catalogue is bought, paid, placed and received; then a panel breaks in the middle of an order.

The plans are read from settings/plans.toml, so that a new one is bought here as well or turns this red. Of each kind of
crowd work the smallest plan is done by the members of a group, claim by claim; of the larger ones it falls to the team,
as there is no group yet when they are ordered. The admin group is a forum: each card stands in the topic of its kind.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.journeys.shopper import Shopper, newcomers, pass_time, polite, together
from tests.journeys.story import sandbox_of
from tests.support.sandbox import ROOT, Message, Sandbox, button, copies

pytestmark = pytest.mark.timeout(300)
NIGHT_OWLS = -601
ANSWERS = {
    "poll_link": "https://x.com/shop/status/1990000000000000777",
    "poll_option": "2",
    "profile_link": "@shop",
    "channel": "@shop_news",
    "days": "5",
}
KNOWN = {
    *("t1", "t2", "t3", "t4", "t5", "x_poll", "direct_add", "slow_push", "tg_premium", "tg_automation"),
    *(f"tgt-{size}" for size in (5, 10, 15, 20, 25, 30)),
    *("special", "giveaway", "extra"),
}


@dataclass(frozen=True)
class Offer:
    """A plan as it is sold. `units`: how many its smallest purchase has; `lines`: what one order brings, by metric."""

    id: str
    title: str
    platform: str
    kind: str
    price: Decimal
    units: int
    questions: tuple[str, ...]
    lines: dict[str, int]
    channels: dict[str, str]
    number: int

    @property
    def link(self) -> str:
        if self.kind == "goods":
            return {"poll_link": ANSWERS["poll_link"], "profile_link": "https://x.com/shop"}.get(
                self.questions[0], "https://t.me/shop_news"
            )
        if self.platform == "x":
            return f"https://x.com/shop/status/19900000000000001{self.number:02}"
        return f"https://t.me/shop_news/{self.number}"

    @property
    def panel(self) -> dict[str, int]:
        return {metric: quantity for metric, quantity in self.lines.items() if self.channels[metric] == "panel"}

    @property
    def crowd(self) -> dict[str, int]:
        return {metric: quantity for metric, quantity in self.lines.items() if self.channels[metric] == "crowd"}


def catalogue() -> list[Offer]:
    rows: list[dict[str, Any]] = tomllib.loads((ROOT / "settings/plans.toml").read_text())["plans"]
    found: list[Offer] = []
    for row in rows:
        for size in row.get("variants", [None]):
            units = row.get("minimum", 0)
            of_a_line = {
                line["metric"]: size if line["quantity"] == "variant" else line["quantity"]
                for line in row.get("lines", [])
            }
            times = units if row["kind"] == "goods" else 1
            found.append(
                Offer(
                    id=row["id"] if size is None else f"{row['id']}-{size}",
                    title=row["title"].replace("{n}", str(size)),
                    platform=row["platform"],
                    kind=row["kind"],
                    price=Decimal(row.get("price", "0")) * (size or 1),
                    units=units,
                    questions=tuple(row.get("questions", ())),
                    lines={metric: quantity * times for metric, quantity in of_a_line.items()},
                    channels={line["metric"]: line["channel"] for line in row.get("lines", [])},
                    number=len(found) + 1,
                )
            )
    return found


OFFERS = catalogue()
CREDITS = [offer for offer in OFFERS if offer.kind == "credits"]
GOODS = [offer for offer in OFFERS if offer.kind == "goods"]
BY_GROUP = [
    min((one for one in CREDITS if one.platform == platform and one.crowd), key=lambda one: max(one.crowd.values()))
    for platform in ("x", "telegram")
]
BY_TEAM = [offer for offer in CREDITS if offer not in BY_GROUP]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox"), telegram=60, by_hand=True) as started:
        yield started


@pytest.fixture(scope="module")
def owner(sandbox: Sandbox) -> Shopper:
    about = sandbox.about()
    sandbox.call("POST", "/telegram", forum=about["admin_group"])
    second, person = (Shopper(sandbox, about[name]) for name in ("second_admin_id", "owner_id"))
    for each_one in (second, person):
        each_one.ask("/start")
        each_one.go("I agree")
    return person


@pytest.fixture(scope="module")
def buyers(sandbox: Sandbox) -> dict[str, Shopper]:
    """Who buys which plan: a few people with money in their wallets, so that they can do so side by side."""
    people = newcomers(sandbox, 6)
    top_up(sandbox, people, "50")
    return {one.id: people[position % len(people)] for position, one in enumerate((*CREDITS, *GOODS))}


def each(buyers: dict[str, Shopper], do: Callable[[Shopper, Offer], None], offers: Sequence[Offer]) -> None:
    """Buyers side by side; what one buyer does, one after the other."""

    def of(buyer: Shopper) -> None:
        for offer in offers:
            if buyers[offer.id] is buyer:
                do(buyer, offer)

    together(of, {buyer.id: buyer for buyer in buyers.values()}.values())


@pytest.fixture(scope="module")
def fans(sandbox: Sandbox) -> list[Shopper]:
    """Enough of them for the largest wish of a post that is for the group."""
    return newcomers(sandbox, max(max(offer.crowd.values()) for offer in BY_GROUP))


def top_up(sandbox: Sandbox, people: list[Shopper], dollars: str) -> None:
    def quoted(person: Shopper) -> tuple[str, str]:
        person.ask("/balance")
        person.go("Top up", dollars, "Crypto", "USDT", "BSC")
        amount, address = copies(person.see(lambda m: len(copies(m)) == 2))
        return amount, address

    for amount, address in together(quoted, people):
        sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 60)
    together(lambda person: person.see("Payment received"), people)


def test_the_catalogue_is_the_one_these_stories_know() -> None:
    """Whoever adds a plan looks at how it is received, and names it."""
    assert {offer.id for offer in OFFERS} == KNOWN
    assert {question for offer in GOODS for question in offer.questions} <= set(ANSWERS)
    assert [offer.id for offer in BY_GROUP] == ["t1", "tgt-5"]


def test_a_person_buys_and_receives_every_plan(
    sandbox: Sandbox, owner: Shopper, buyers: dict[str, Shopper], fans: list[Shopper]
) -> None:
    together(lambda offer: visit(sandbox, offer), [offer for offer in OFFERS if offer.kind == "contact"])
    each(buyers, buy, [*CREDITS, *GOODS])
    each(buyers, place, BY_TEAM)
    open_group(sandbox, owner, fans)
    each(buyers, place, BY_GROUP)
    sandbox.calm()

    the_team_works(sandbox, sum(len(offer.crowd) for offer in BY_TEAM) + len(GOODS))
    for offer in GOODS:
        received(buyers[offer.id], offer, offer.link)
    for offer in BY_GROUP:
        the_group_works(sandbox, fans, offer, offer.link)
    approve_all(owner, sum(max(offer.crowd.values()) for offer in BY_GROUP))
    for _ in range(3):
        pass_time(sandbox, 1800)
    for offer in CREDITS:
        received(buyers[offer.id], offer, offer.link)
        assert sent(sandbox, offer.link) == offer.panel
    cards_stand_in_their_topics(sandbox)
    assert sandbox.check() == []


def test_a_panel_breaks_in_the_middle_and_the_order_still_ends_well(
    sandbox: Sandbox, owner: Shopper, buyers: dict[str, Shopper], fans: list[Shopper]
) -> None:
    """The first part is at smmflare. Then it takes no more orders and cancels two thirds of the likes it had taken: the
    second part, and what is missing of the first, go to the next panel."""
    offer = BY_GROUP[0]
    buyer, link = buyers[offer.id], "https://x.com/shop/status/1990000000000000999"
    order(buyer, link, offer.title)
    sandbox.calm()
    the_group_works(sandbox, fans, offer, link)
    owner.ask("/admin")  # the session of the first story has ended
    approve_all(owner, max(offer.crowd.values()))
    pass_time(sandbox, 1800)
    first = orders_at(sandbox, "smmflare", link)
    assert sorted(first.values()) == [15, 1000]

    sandbox.call("POST", "/panels/smmflare", refuse="Not enough funds on balance")
    likes = next(number for number, quantity in first.items() if quantity == 15)
    sandbox.call("POST", f"/panels/smmflare/orders/{likes}", status="Canceled", remains=10)
    pass_time(sandbox, 1800)
    assert orders_at(sandbox, "smmflare", link) == first
    sandbox.call("POST", "/panels/smmflare", refuse=None)
    pass_time(sandbox, 1800)
    received(buyer, offer, link)
    assert sorted(orders_at(sandbox, "plugsmm", link).values()) == [10, 15, 1000]
    assert sandbox.check() == []


# --- a buyer --------------------------------------------------------------------------------------------------------


def visit(sandbox: Sandbox, offer: Offer) -> None:
    """Plans that are talked about first lead to support."""
    (person,) = newcomers(sandbox, 1)
    person.ask("/menu")
    person.go("Service Menu", "Twitter/X" if offer.platform == "x" else "Telegram")
    polite(person.go(offer.title, until=offer.title), "support")


def buy(buyer: Shopper, offer: Offer) -> None:
    shown = buyer.ask(f"/buy {offer.id} {offer.units}")
    for question in offer.questions:
        shown = buyer.ask(ANSWERS[question])
    if offer.questions:
        polite(shown, "Is all of this right?")
        shown = buyer.go("Confirm", until="Invoice #")
    polite(shown, offer.title, f"${offer.price * offer.units:,.2f}")
    after = buyer.seq()
    buyer.go("Wallet", until="Paid")
    buyer.see(lambda m: "is paid" in m["text"] and offer.title in m["text"], after)
    if offer.kind == "goods":
        buyer.see(lambda m: "Order #" in m["text"] and offer.title in m["text"] and "0 of" in m["text"], after)


def place(buyer: Shopper, offer: Offer) -> None:
    confirm = order(buyer, offer.link, offer.title)
    for metric, quantity in offer.lines.items():
        assert f"{quantity:,} {metric}" in confirm["text"], confirm["text"]


def order(buyer: Shopper, link: str, title: str) -> Message:
    """One link for one plan, whether the shop has to ask which or not."""

    def either(m: Message) -> bool:
        return link in m["text"] and (button(m, "Confirm") is not None or button(m, title) is not None)

    after = buyer.seq()
    buyer.say(link)
    confirm = buyer.see(either, after)
    if button(confirm, "Confirm") is None:
        confirm = buyer.go(title, until="This uses")
    buyer.go("Confirm", until="Ordered")
    return confirm


def received(buyer: Shopper, offer: Offer, link: str) -> None:
    end = buyer.see(lambda m: "is complete" in m["text"] and link in m["text"].splitlines())["text"]
    assert "in your wallet" not in end, end
    for metric, quantity in offer.lines.items():
        assert f"{quantity:,} {metric}" in end or (quantity == 1 and f"1 {metric.removesuffix('s')}" in end), end


def orders_at(sandbox: Sandbox, panel: str, link: str) -> dict[int, int]:
    """Quantities of the orders a panel has of a link, by its numbers."""
    return {one["order"]: one["quantity"] for one in sandbox.orders(panel) if one["link"] == link}


def sent(sandbox: Sandbox, link: str) -> dict[str, int]:
    """What the panels have of a link, by metric."""
    found: dict[str, int] = {}
    for panel in sandbox.about()["panels"]:
        for one in sandbox.orders(panel):
            if one["link"] == link:
                assert one["status"] == "Completed"
                metric = {"1": "likes", "2": "views"}[str(one["service"])[-1]]
                found[metric] = found.get(metric, 0) + int(one["quantity"])
    return found


# --- those who work -------------------------------------------------------------------------------------------------


def the_team_works(sandbox: Sandbox, cards: int) -> None:
    """Every card is taken and done, by the second of the team: nobody may press more than sixty buttons a minute."""
    about = sandbox.about()
    group, worker = int(about["admin_group"]), int(about["second_admin_id"])

    def work(card: Message) -> None:
        which = {"chat": group, "message_id": card["message_id"]}
        sandbox.press(worker, "Take", **which)
        sandbox.wait_for(group, lambda m: m["message_id"] == card["message_id"] and button(m, "Done") is not None)
        sandbox.press(worker, "Done", **which)
        sandbox.wait_for(group, lambda m: m["message_id"] == card["message_id"] and "Done by" in m["text"])

    found = [m for m in sandbox.messages(group) if button(m, "Take") is not None]
    assert len(found) == cards
    for begin in range(0, len(found), 25):
        if begin:
            pass_time(sandbox, 60)
        together(work, found[begin : begin + 25])
    sandbox.calm()


def open_group(sandbox: Sandbox, owner: Shopper, fans: list[Shopper]) -> None:
    members = [fan.id for fan in fans]
    sandbox.call("POST", "/groups", id=NIGHT_OWLS, title="Night owls", members=members)
    sandbox.calm()
    owner.ask("/admin")
    owner.go("Groups", until="Night owls")
    owner.go("Night owls", until="Chat id")
    owner.go("Comment group", until="Role: comment group")


def the_group_works(sandbox: Sandbox, fans: list[Shopper], offer: Offer, link: str) -> None:
    """Who replies presses so, and who does more presses that as well; then the proof, in private."""
    post = sandbox.wait_for(NIGHT_OWLS, lambda m: link in m["text"] and button(m, "I replied") is not None)
    number = re.search(r"Post #(\d+)", post["text"])
    assert number
    labels = {"comments": "I replied", "reposts": "I reposted", "reactions": "I reacted"}

    def work(position: int) -> None:
        fan, start = fans[position], fans[position].seq()
        for metric, wanted in offer.crowd.items():
            if position < wanted:
                said = sandbox.press(fan.id, labels[metric], chat=NIGHT_OWLS, message_id=post["message_id"])
                assert "slot" in str(said), said
        fan.say(f"/start task_{number.group(1)}")
        fan.see(lambda m: "Send the link of your reply" in m["text"] and link in m["text"], start)
        proof = f"https://x.com/fan{position}/status/20000000000{link[-5:]}{position:03}"
        after = fan.seq()
        fan.say(proof if offer.platform == "x" else f"{link}?comment={position + 1}")
        fan.see("is being checked", after)

    together(work, range(max(offer.crowd.values())))
    sandbox.calm()


def approve_all(owner: Shopper, proofs: int) -> None:
    shown = owner.answer_to(owner.say("/start claims"), "Work of the groups")
    for left in range(proofs, 0, -1):
        assert button(shown, "Approve"), shown["text"]
        shown = owner.go("Approve", until="Everything is checked" if left == 1 else "by Guest")


def cards_stand_in_their_topics(sandbox: Sandbox) -> None:
    group = int(sandbox.about()["admin_group"])
    places: dict[str, set[str | None]] = {}
    for message in sandbox.messages(group):
        for words, kind in (("Team work", "team"), (": completed", "orders"), ("paid from the wallet", "paid")):
            if words in message["text"]:
                places.setdefault(kind, set()).add(message.get("topic"))
    assert places == {"team": {"🛠 Team work"}, "orders": {"📦 Orders"}, "paid": {"💰 Payments"}}
