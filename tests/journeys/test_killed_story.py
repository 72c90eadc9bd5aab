"""The main story with the bot killed at twenty random moments, and with the bot told to stop in the middle of its work.

VIRALCORE_SEED chooses the moments; the seed is printed, so that a failure can be played again.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from tests.journeys.story import OWNER, Story, books_agree, deliver, labelled, sandbox_of, undisturbed
from tests.support.sandbox import Sandbox
from tests.support.sizes import size

KILLS, LATEST = size(20, 8), 0.8
STEPS = 18
"""Steps of the story from which the moments are drawn; whatever is left then falls into what comes after them."""
STOPS_WITHIN = 10.0


class Killer:
    """Kills the bot `KILLS` times while steps are under way, each time up to 0.8 s after something began."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self._sandbox = sandbox
        self._random = Random(seed)
        self._step = 0
        # a turn of the clock is long: it gets more of the kills
        weights = [3 if step in (11, 14, 15, 16) else 1 for step in range(STEPS)]
        self._planned = Counter(self._random.choices(range(STEPS), weights, k=KILLS))
        self.moments: list[str] = []

    @contextmanager
    def during(self, step: str) -> Iterator[None]:
        """The moments of one step. It ends when the bot is up again."""
        delays = [self._random.uniform(0, LATEST) for _ in range(self._planned[self._step])]
        if self._step == STEPS - 1:
            self._planned[self._step] = 0
        else:
            self._step += 1
        failures: list[BaseException] = []
        beside = Thread(target=self._kill, args=(step, delays, failures), daemon=True)
        beside.start()
        try:
            yield
        finally:
            beside.join(120)
        assert not beside.is_alive(), f"the bot does not come back in: {step}"
        assert not failures, f"{step}: {failures[0]}"

    def _kill(self, step: str, delays: list[float], failures: list[BaseException]) -> None:
        for delay in delays:
            time.sleep(delay)
            self.moments.append(f"{step} +{delay:.2f}")
            try:
                self._sandbox.kill()
            except BaseException as error:
                failures.append(error)
                return


@pytest.mark.timeout(420)
def test_twenty_kills_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    seed = int(os.environ.get("VIRALCORE_SEED") or 20_260_115)
    print(f"VIRALCORE_SEED={seed}")
    with sandbox_of(tmp_path, telegram=1) as sandbox:
        owner = Story(sandbox, OWNER, "Olu")
        owner.begin()
        killer = Killer(sandbox, seed)
        ada = Story(sandbox, 2001, "Ada", disturb=killer.during)
        try:
            ada.begin()
            ada.order_by_buttons()
            ada.pay_with_usdt()
            ada.boost()
            deliver(ada)
            ada.look_around()
        finally:
            print(f"seed {seed}: killed in", *killer.moments, sep="\n  ")
        assert len(killer.moments) == KILLS, killer.moments
        done_once(ada)
        books_agree(sandbox)


def done_once(ada: Story) -> None:
    """One payment, one order, one credit used: to the cent and to the post, as without any kill."""
    orders = ada.say("/orders", "completed")
    assert orders["text"].count("X Tier 3 ·") == 1, orders["text"]
    assert "not paid" not in orders["text"].lower()
    history = ada.say("/history", "Movements")["text"]
    once = ("+10 posts", "-1 post", "-$15.00", "+$15.00", "+$0.75", "+$0.30")
    assert {words: history.count(words) for words in once} == dict.fromkeys(once, 1), history


@pytest.mark.timeout(240)
def test_told_to_stop_in_the_middle_of_its_work_it_ends_well_and_goes_on_later(tmp_path: Path) -> None:
    with sandbox_of(tmp_path, telegram=1) as sandbox:
        told = ("say /buy", "press BSC", "transfer", "turn", "say https", "press Confirm")

        def disturb(step: str) -> AbstractContextManager[None]:
            return stopping(sandbox, tmp_path) if step.startswith(told) else nullcontext()

        ada = Story(sandbox, 2001, "Ada", disturb=disturb)
        ada.begin()
        ada.say("/buy t3 10", labelled("Crypto"))
        ada.pay_with_usdt()
        ada.boost()
        ada.turn(1800)
        ada.first_part_sent()
        assert not [card for card in sandbox.messages(ada.group) if "did not answer" in card["text"]]

        ada.disturb = undisturbed
        ada.turn(1500)
        ada.resolve()
        sandbox.call("POST", "/panels/smmflare", latency_ms=6_000)  # it takes the order and is slow to say so
        with stopping(sandbox, tmp_path, when=lambda: len(ada.book()) > 2):
            sandbox.turn(360)
        sandbox.call("POST", "/panels/smmflare", latency_ms=0)
        ada.turn(60)
        assert ada.resolve() == 1
        ada.second_part_sent()
        books_agree(sandbox)


@contextmanager
def stopping(
    sandbox: Sandbox, folder: Path, after: float = 0.05, when: Callable[[], bool] = lambda: True
) -> Iterator[None]:
    """SIGTERM to the bot shortly after a step began: it ends by itself, in time and with code 0, and comes back."""
    assert sandbox.settle(60)["quiet"]  # it is up again after the last time
    console = folder / "console.log"
    before = console.read_text().count("ended by itself")
    pid = int(sandbox.about()["bot"]["pid"])
    took: list[float] = []

    def stop() -> None:
        time.sleep(after)
        while not when():
            time.sleep(0.05)
        os.kill(pid, signal.SIGTERM)
        began = time.monotonic()
        while sandbox.about()["bot"]["pid"] == pid and time.monotonic() - began < 30:
            time.sleep(0.02)
        took.append(time.monotonic() - began)

    beside = Thread(target=stop, daemon=True)
    beside.start()
    try:
        yield
    finally:
        beside.join(40)
    assert took, "it was not told"
    assert took[0] < STOPS_WITHIN, f"it took {took[0]:.1f} s to stop"
    said = console.read_text()
    assert said.count("ended by itself") == before + 1, said[-1500:]
    assert said.count("ended by itself (code 0)") == before + 1, said[-1500:]
