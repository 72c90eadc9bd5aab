"""The story every journey tells: a person buys posts with coins, boosts a link, and watches it being delivered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox import Message, Sandbox, button, copies, running_sandbox, swift

OWNER = 1000
LIKES, VIEWS = "101", "102"
FIRST, SECOND = {(LIKES, 38), (VIEWS, 3500)}, {(LIKES, 37), (VIEWS, 3500)}
PATIENCE = 60.0
_CARD = re.compile(r"phase (\d+): ([\d,]+) (\w+)\s+(\w+), service (\d+)")

Disturb = Callable[[str], AbstractContextManager[None]]
"""Something that happens beside a step, which is named."""


def undisturbed(step: str) -> AbstractContextManager[None]:
    return nullcontext()


@contextmanager
def sandbox_of(
    folder: Path, *, telegram: int = 10, by_hand: bool = False, chains: Collection[str] = ("bsc",)
) -> Iterator[Sandbox]:
    """A sandbox as `swift` makes it; when the story in it fails, the failure carries the end of the bot's log."""
    try:
        with running_sandbox(folder, **swift(folder, telegram=telegram, by_hand=by_hand, chains=chains)) as sandbox:
            yield sandbox
    except BaseException as error:
        error.add_note(log_of(folder))
        raise


def log_of(folder: Path) -> str:
    """The end of the bot's log, shortened, and of the sandbox's console."""
    told = []
    for line in _tail(folder / "sandbox" / "bot.log", 400):
        try:
            entry = json.loads(line)
        except ValueError:
            told.append(line[:300])
            continue
        if entry.get("event") != "http_call" or entry.get("outcome") != "200":
            told.append(json.dumps(entry)[-1500:])
    return "\n".join(
        ["--- bot.log ends with", *told[-40:], "--- the console ends with", *_tail(folder / "console.log", 25)]
    )


def _tail(path: Path, count: int) -> list[str]:
    return path.read_text(errors="replace").splitlines()[-count:] if path.exists() else []


def labelled(label: str) -> Callable[[Message], bool]:
    """Fits messages that have such a button."""
    return lambda message: button(message, label) is not None


def says(message: Message, *words: str) -> None:
    """Fails with the message's whole text."""
    missing = [each for each in words if each not in message["text"]]
    assert not missing, f"{missing} missing in:\n{message['text']}"


class Story:
    """One person's way through the shop. Each step is taken once and its effect waited for, as people do. `watches`:
    time passes from due moment to due moment, and not in leaps."""

    def __init__(
        self, sandbox: Sandbox, person: int, name: str = "Ada", *, disturb: Disturb = undisturbed, watches: bool = False
    ) -> None:
        self.sandbox = sandbox
        self.watches = watches
        self.person = sandbox.person(person, name)
        self.name = name
        self.link = f"https://x.com/{name.lower()}/status/{person}12345"
        self.disturb = disturb
        self.shown: Message = {}
        self.taken_into_account: set[tuple[str, int]] = set()

    # --- steps ------------------------------------------------------------------------------------------------------

    def say(self, text: str, then: str | Callable[[Message], bool], *, chat: int | None = None) -> Message:
        """Type a line and wait for what it brings."""
        return self._step(f"say {text}", lambda: self.sandbox.say(self.person, text, chat), then)

    def press(self, label: str, then: str | Callable[[Message], bool]) -> Message:
        """Press a button of the newest message that has it, and wait for what it brings."""
        return self._step(f"press {label}", lambda: self.sandbox.press(self.person, label), then)

    def _step(self, step: str, act: Callable[[], object], then: str | Callable[[Message], bool]) -> Message:
        after = self.sandbox.seq(self.person)
        with self.disturb(step):
            act()
            try:
                self.shown = self.sandbox.wait_for(self.person, then, after=after, seconds=PATIENCE)
            except AssertionError as error:
                error.add_note(f"in the step: {step}\n{self.transcript()}")
                raise
        return self.shown

    def turn(self, seconds: float) -> None:
        """Turn the clock, and wait until everything that this brought is done."""
        with self.disturb(f"turn {seconds:g}"):
            if self.watches:
                self.sandbox.turn(seconds)
            else:
                self.sandbox.skip(seconds)
        self.sandbox.calm()

    def told(self, words: str, *, fits_also: str = "", after: int = 0, chat: int | None = None) -> Message:
        """A message that came by itself."""

        def fits(message: Message) -> bool:
            return words in message["text"] and fits_also in message["text"] and message["from"] != self.person

        try:
            return self.sandbox.wait_for(chat or self.person, fits, after=after, seconds=PATIENCE)
        except AssertionError as error:
            error.add_note(f"not told: {words} {fits_also}\n{self.transcript()}")
            raise

    def transcript(self, count: int = 12) -> str:
        """The newest messages of the chat, for failures."""
        lines = []
        for message in self.sandbox.messages(self.person)[-count:]:
            rows = [[b["text"] for b in row] for row in message["buttons"]]
            lines.append(
                f"[{message['from']}] #{message['message_id']} seq {message['seq']}: {message['text']}\n{rows}"
            )
        return "\n".join(lines)

    # --- chapters ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        terms = self.say("/start", "Terms of use")
        says(terms, self.name)
        home = self.press("I agree", labelled("Service Menu"))
        says(home, self.name)
        assert home["photo"]

    def order_by_buttons(self) -> None:
        """Ten posts of Tier 3, through the shop, to the invoice."""
        self.press("Service Menu", labelled("Twitter/X"))
        self.press("Twitter/X", labelled("Engagement"))
        plans = self.press("Engagement", labelled("Tier 3"))
        says(plans, "75 likes, 👁 7,000 views, 💬 30 comments, 🔁 15 reposts")
        self.press("Tier 3", labelled("Other amount"))
        invoice = self.press("10", labelled("Crypto"))
        says(invoice, "Total: $15.00")

    def pay_with_usdt(self) -> None:
        """From the invoice to ten credits."""
        self.press("Crypto", labelled("USDT"))
        self.press("USDT", labelled("BSC"))
        payment = self.press("BSC", "Send exactly")
        amount, address = copies(payment)[:2]
        says(payment, amount)
        assert re.fullmatch(r"1[45]\.\d{6}", amount)
        assert address == self.sandbox.about()["addresses"]["bsc"]
        group, after = self.group, self.sandbox.seq(self.person)
        in_group = self.sandbox.seq(group)
        with self.disturb("transfer"):
            self.sandbox.transfer("USDT", address, amount)
        self.turn(60)
        says(self.told("Payment received", after=after), "You have 10 X Tier 3 posts")
        self.told("Paid. Thank you", after=after)
        card = self.told(f"{amount} USDT", after=in_group, chat=group)
        says(card, f"({self.person})")

    def boost(self) -> None:
        """One link, confirmed."""
        screen = self.say(f"{self.link}?s=20&t=abc", labelled("Confirm"))
        says(screen, "75 likes")
        says(screen, "7,000 views")
        says(screen, "30 min")
        says(screen, "60 min")
        says(screen, "$1.05")
        in_group, after = self.sandbox.seq(self.group), self.sandbox.seq(self.person)
        self.press("Confirm", "Ordered.")
        self.told("0 of 75 likes", after=after)
        self.told(self.link, after=in_group, chat=self.group)

    def first_part_sent(self) -> None:
        assert self.placed() == sorted(FIRST), self.book()
        says(
            self.told("Part 1 at", fits_also="38 likes and 3,500 views (sent"), "37 likes and 3,500 views (to be sent)"
        )

    def second_part_sent(self) -> None:
        assert self.placed() == sorted([*FIRST, *SECOND]), self.book()
        says(self.told("Part 2 at", fits_also="37 likes and 3,500 views (sent"), "38 likes and 3,500 views (delivered)")

    def delivered(self) -> None:
        says(self.told("is complete"), self.link, "75 likes and 7,000 views", "$1.05 is back in your wallet")
        says(self.told("75 of 75 likes ✅"), "7,000 of 7,000 views ✅", "Completed.")
        self.told(": completed", fits_also=f"({self.person})", chat=self.group)
        assert self.placed() == sorted([*FIRST, *SECOND]), self.book()
        assert {order["status"] for order in self.book()} == {"Completed"}

    def look_around(self) -> None:
        """The quick commands, and what they show at the end of the story."""
        orders = self.say("/orders", "X Tier 3 · completed")
        says(orders, "100%")
        says(orders, self.link)
        balance = self.say("/balance", "Wallet: $1.05")
        says(balance, "X Tier 3: 9")
        history = self.say("/history", "$15.00")
        says(history, "+10 posts", "-1 post", "+$0.75", "+$0.30")
        self.say("/menu", labelled("Service Menu"))
        self.say("/help", "/submitlink")
        self.say("/submitlink", "link")
        self.say("/cancel", lambda m: m["from"] != self.person and bool(m["text"]))

    def complete(self) -> bool:
        return any("is complete" in message["text"] for message in self.sandbox.messages(self.person))

    # --- the world --------------------------------------------------------------------------------------------------

    @property
    def group(self) -> int:
        return int(self.sandbox.about()["admin_group"])

    def book(self) -> list[dict[str, Any]]:
        """Orders for our link in the books of all panels."""
        panels = self.sandbox.about()["panels"]
        return [
            {**order, "panel": panel}
            for panel in panels
            for order in self.sandbox.orders(panel)
            if order["link"] == self.link
        ]

    def placed(self) -> list[tuple[str, int]]:
        """Service and quantity of every order, all of which the first panel must have."""
        book = self.book()
        assert {order["panel"] for order in book} <= {"smmflare"}, book
        return sorted((str(order["service"]), int(order["quantity"])) for order in book)

    # --- staff ------------------------------------------------------------------------------------------------------

    def resolve(self) -> int:
        """Answer every open card of an unknown send from the panel's own book. Returns how many there were."""
        answered = 0
        while cards := [card for card in self.sandbox.messages(self.group) if self._asks(card)]:
            self._answer(cards[0])
            answered += 1
            assert answered <= 10, "the cards do not end"
        self.taken_into_account = {(order["panel"], order["order"]) for order in self.book()}
        return answered

    def _asks(self, card: Message) -> bool:
        return button(card, "It was placed") is not None and self.link in card["text"]

    def _answer(self, card: Message) -> None:
        found = _CARD.search(card["text"])
        assert found, card["text"]
        quantity, panel, service = int(found[2].replace(",", "")), found[4], found[5]
        placed = [
            order["order"]
            for order in self.book()
            if order["link"] in card["text"]
            and (order["panel"], str(order["service"]), order["quantity"]) == (panel, service, quantity)
            and (panel, order["order"]) not in self.taken_into_account
        ]
        assert len(placed) <= 1, (card["text"], self.book())
        if placed:
            self._it_was_placed(card, placed[0])
        else:
            with self.disturb("not placed"):
                self._press_card(card, "It was not")
                self._until_decided(card, "sent again")
        self.sandbox.calm()

    def _it_was_placed(self, card: Message, number: int) -> None:
        group, after = self.group, self.sandbox.seq(self.group)
        with self.disturb("placed"):
            self._press_card(card, "It was placed")
            question = self.sandbox.wait_for(group, "Which order number", after=after, seconds=PATIENCE)
        with self.disturb("order number"):
            self.sandbox.say(OWNER, str(number), group, reply_to=question["message_id"])
            self._until_decided(card, f"placed as {number}")

    def _press_card(self, card: Message, label: str) -> None:
        self.sandbox.press(OWNER, label, chat=self.group, message_id=card["message_id"])

    def _until_decided(self, card: Message, words: str) -> None:
        self.sandbox.wait_for(
            self.group,
            lambda m: m["message_id"] == card["message_id"] and words in m["text"],
            after=card["seq"],
            seconds=PATIENCE,
        )


def deliver(first: Story, *others: Story) -> None:
    """The clock is turned to both phases and to the end; staff answer what nobody knows."""
    everybody = (first, *others)
    for part in (Story.first_part_sent, Story.second_part_sent):
        first.turn(1800)
        for story in everybody:
            story.resolve()
            part(story)
    first.turn(1800)
    for _ in range(3):
        if all(story.complete() for story in everybody):
            break
        first.turn(600)
    for story in everybody:
        story.delivered()


def books_agree(sandbox: Sandbox) -> None:
    """Ledger, chain and panels."""
    problems = sandbox.check()
    if problems:
        pytest.fail("the books do not agree: " + "; ".join(problems))
