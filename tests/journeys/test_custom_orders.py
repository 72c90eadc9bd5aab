"""A plan made for one person, sold to them, and used for several links at once; an order paused, resumed, cut short."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.shopper import Crowd, Shopper, data_of, nonce_of, pass_time, polite
from tests.journeys.story import books_agree, sandbox_of
from tests.support.sandbox import Sandbox, copies

FORM = "name: VIP\nlikes: 100\nviews: 5000\nposts: 3\nprice: 1.20\nuntil: 2030-01-31\nreason: as we agreed"
LINKS = [f"https://x.com/guest/status/77{n}" for n in range(3)]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture(scope="module")
def people(sandbox: Sandbox) -> tuple[Shopper, Shopper]:
    """The buyer, and somebody else."""
    first, second = Crowd(sandbox, 2).take(2)
    return first, second


def _placed(sandbox: Sandbox, link: str) -> list[tuple[str, int]]:
    return sorted((str(o["service"]), int(o["quantity"])) for o in sandbox.orders("smmflare") if o["link"] == link)


def test_an_owner_makes_a_plan_and_its_person_buys_it(sandbox: Sandbox, people: tuple[Shopper, Shopper]) -> None:
    owner, (ada, other) = Shopper(sandbox, int(sandbox.about()["owner_id"])), people
    owner.say("/start")
    owner.see(lambda m: "Terms of use" in m["text"])
    owner.go("I agree", until="Wallet")
    owner.ask("/admin")
    polite(owner.go("Custom plans", "Find a person"), "Whose?")
    polite(owner.ask("@nobody_at_all"), "I know nobody called")
    polite(owner.ask(str(ada.id)), "None yet.")
    polite(owner.go("New plan"), "reason: thank you")
    polite(owner.ask("name: VIP\nlikes: lots\nfollowers: 5"), "“likes: lots”", "whole number", "do not know the word")
    polite(owner.ask("name: VIP\nlikes: 1\nposts: 3\nreason: r"), "no panel delivers")
    polite(owner.ask(FORM), "Make this plan", "100 likes", "$1.20 a post, 3 offered", "31 Jan 2030")
    polite(owner.go("Confirm"), "VIP", "sold at $1.20 a post")
    polite(ada.see(lambda m: "A custom plan was made for you" in m["text"]), "as we agreed", "$1.20 each")
    polite(ada.ask("/buy ct"), "My Custom Plans", "VIP", "0 posts left")
    polite(other.ask("/buy ct"), "You have no custom plan yet")
    polite(other.ask("/buy custom-1 3"), "no such plan")
    polite(ada.go("VIP"), "100 likes", "until 31 Jan 2030")
    polite(ada.go("Buy 3"), "Total: $3.60")
    ada.go("Crypto", "USDT", "BSC")
    amount, address = copies(ada.see(lambda m: len(copies(m)) == 2))
    sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 30)
    ada.see(lambda m: "3 VIP posts" in m["text"])


def test_several_links_one_of_them_bad_are_one_confirmation(sandbox: Sandbox, people: tuple[Shopper, Shopper]) -> None:
    ada, other = people
    polite(ada.ask(" ".join(f"https://x.com/guest/status/{n}" for n in range(1, 22))), "21 links", "at most 20")
    screen = ada.ask(
        f"{LINKS[0]}?s=20, {LINKS[1]}! {LINKS[2]} {LINKS[0]} https://x.com/guest https://netflix.com/x.com/1"
    )
    polite(screen, "3 links", "twice", "not a post", "only X (Twitter) and Telegram", "VIP")
    confirm = data_of(screen, "Confirm")
    summary = ada.go("Confirm", until="Ordered.")
    polite(summary, "3 links are on their way", *LINKS, "Not taken", "No posts left in VIP")
    sandbox.calm()
    ada.forge(confirm, screen)
    sandbox.calm()
    polite(ada.ask("/orders"), "#1", "#2", "#3")
    polite(ada.ask("https://x.com/guest/status/999"), "no posts left")
    polite(other.ask("/start o_1"), "not found")
    polite(ada.ask("/start o_1"), "Order #1", LINKS[0])


def test_an_order_is_paused_resumed_and_cut_short(sandbox: Sandbox, people: tuple[Shopper, Shopper]) -> None:
    ada, _ = people
    pass_time(sandbox, 31 * 60)
    assert _placed(sandbox, LINKS[0]) == [("101", 50), ("102", 2500)]
    ada.ask("/start o_1")
    polite(ada.go("Pause", until="held back by you"), "Paused.")
    polite(ada.go("Slow?", until="Why order"), "you paused the order", "a supplier took them")
    picture = ada.go("Back", "Timeline", until="Timeline of order")
    assert picture["photo"]
    assert "50 (50 %) at" in picture["text"]
    pass_time(sandbox, 60 * 60)
    assert _placed(sandbox, LINKS[0]) == [("101", 50), ("102", 2500)]
    assert len(_placed(sandbox, LINKS[1])) == 4
    ada.ask("/start o_1")
    polite(ada.go("Resume", until="to be sent"), "Order #1")
    polite(ada.go("Cancel the rest", until="will not be delivered"), "50 likes and 2,500 views")
    ada.go("Confirm", until="cancelled)")
    pass_time(sandbox, 100 * 60)
    assert _placed(sandbox, LINKS[0]) == [("101", 50), ("102", 2500)]
    done = ada.ask("/start o_1")
    # half of $1.20, line by line rounded down to the cent: 40 for likes, 19 for views
    polite(done, "Partly delivered", "$0.59 came back to your wallet")
    polite(ada.ask("/orders"), "partly delivered")
    polite(ada.go("Problems", until=": problems"), "#1")
    polite(ada.go("Running", until=": running"), "Nothing is on its way")
    ada.ask("/start o_1")
    polite(ada.go("Reorder"), "no posts left")
    assert nonce_of(ada.home())
    books_agree(sandbox)
