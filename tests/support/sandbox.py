"""A client of the control API for journeys, and a whole sandbox started for them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from viralcore.sandbox.servers import free_port

ROOT = Path(__file__).parents[2]
UP_WITHIN, DOWN_WITHIN = 180.0, 30.0
WATCHED = 300.0
CHAINS = frozenset(tomllib.loads((ROOT / "settings" / "payments.toml").read_text())["networks"])

Message = dict[str, Any]


class Refused(AssertionError):
    """The control API said no."""


class Waited(AssertionError):
    """Something did not appear in time; the message says what was there instead."""


class Sandbox:
    """Speaks the control API. Chats are private ones unless a chat id is given."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=90.0, trust_env=False)

    def call(self, method: str, path: str, **body: Any) -> Any:
        """One call. Raises Refused."""
        answer = self.http.request(method, f"/sandbox{path}", json=body if method == "POST" else None)
        if answer.status_code >= 400:
            raise Refused(f"{method} {path} {body}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def about(self) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", "")
        return found

    def person(self, user_id: int, first_name: str = "Ada", username: str | None = None) -> int:
        """Make a person known."""
        self.call("POST", "/users", id=user_id, first_name=first_name, **({"username": username} if username else {}))
        return user_id

    def say(self, person: int, text: str, chat: int | None = None, **more: Any) -> int:
        """A person writes; returns the message id."""
        sent = self.call("POST", f"/chats/{chat or person}/messages", from_id=person, text=text, **more)
        return int(sent["message_id"])

    def answer(self, person: int, text: str, chat: int) -> int:
        """A person replies to the bot's last question in a group."""
        bot = self.about()["bot"]["id"]
        asked = [one for one in self.messages(chat) if one["from"] == bot and "Reply to this message" in one["text"]]
        return self.say(person, text, chat, reply_to=asked[-1]["message_id"])

    def messages(self, chat: int, after: int = 0, wait: float = 0) -> list[Message]:
        found: list[Message] = self.call("GET", f"/chats/{chat}/messages?after={after}&wait={wait}")
        return found

    def seq(self, chat: int) -> int:
        """Where a chat stands, for `wait_for(after=...)`."""
        return max((int(message["seq"]) for message in self.messages(chat)), default=0)

    def wait_for(
        self, chat: int, fits: str | Callable[[Message], bool], *, after: int = 0, seconds: float = 30.0
    ) -> Message:
        """The newest message changed after `after` that fits (or contains the text, in any case). Raises Waited."""
        test = fits if callable(fits) else lambda m: str(fits).casefold() in m["text"].casefold()
        deadline = time.monotonic() + seconds
        seen: list[Message] = []
        while True:
            fresh = self.messages(chat, after)
            found = [message for message in fresh if test(message)]
            if found:
                return found[-1]
            seen = fresh or seen
            left = deadline - time.monotonic()
            if left <= 0:
                said = "\n---\n".join(m["text"] for m in seen[-3:])
                raise Waited(
                    f"{fits if isinstance(fits, str) else 'a message'!r} did not come; the newest are:\n{said}"
                )
            newest = max((int(m["seq"]) for m in self.messages(chat)), default=0)
            self.messages(chat, newest, min(left, 2.0))

    def press(
        self, person: int, label: str, *, chat: int | None = None, message_id: int | None = None, seconds: float = 30.0
    ) -> dict[str, Any] | None:
        """Press the button whose label has these words, on the newest message that has it; returns the answer."""
        where = chat or person
        if message_id is None:
            message = self.wait_for(where, lambda m: button(m, label) is not None, seconds=seconds)
        else:
            message = next(m for m in self.messages(where) if m["message_id"] == message_id)
        wanted = button(message, label) or label
        pressed = self.call(
            "POST", f"/chats/{where}/press", from_id=person, message_id=message["message_id"], button=wanted
        )
        answer: dict[str, Any] | None = pressed["answer"]
        return answer

    def transfer(self, asset: str, to: str, amount: str, network: str = "bsc", **more: Any) -> str:
        """Coins move on a chain; returns the hash."""
        sent = self.call("POST", f"/chains/{network}/transfers", asset=asset, to=to, amount=amount, **more)
        return str(sent["hash"])

    def pay_bank(self, account: str, amount: str, **more: Any) -> str:
        """Naira come into a one-off account; returns the transaction's id."""
        return str(self.call("POST", "/bank/pay", account_number=account, amount=amount, **more)["id"])

    def bank(self, **faults: Any) -> dict[str, Any]:
        """Break the bank, or mend it."""
        found: dict[str, Any] = self.call("POST", "/bank", **faults)
        return found

    def charges(self) -> list[dict[str, Any]]:
        """The bank's one-off accounts and what was paid into them, oldest first."""
        found: list[dict[str, Any]] = self.call("GET", "/bank/charges")
        return found

    def orders(self, panel: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", f"/panels/{panel}/orders")
        return found

    def turn(self, seconds: float) -> dict[str, Any]:
        """Turn the clock."""
        turned: dict[str, Any] = self.call("POST", "/clock", advance_seconds=seconds)
        return turned

    def skip(self, seconds: float) -> dict[str, Any]:
        """Turn the clock: a long time in one leap, and its last five minutes from moment to moment."""
        if seconds > 2 * WATCHED:
            self.call("POST", "/clock", advance_seconds=seconds - WATCHED, wait=False)
            self.calm()
            seconds = WATCHED
        return self.turn(seconds)

    def calm(self, looks: int = 4) -> None:
        """Wait until nothing is left to do: a slow machine, or a bot that is killed meanwhile, takes its time."""
        settled: dict[str, Any] = {}
        for _ in range(looks):
            settled = self.settle(45)
            if settled["quiet"]:
                return
        raise Waited(f"not quiet: {settled['pending']}")

    def settle(self, seconds: float = 30.0) -> dict[str, Any]:
        settled: dict[str, Any] = self.call("POST", "/settle", timeout_seconds=seconds)
        return settled

    def kill(self) -> int:
        """kill -9 the bot; returns the new pid once it is up."""
        return int(self.call("POST", "/bot", kill=True)["pid"])

    def check(self) -> list[str]:
        """Problems in the books; empty when they agree."""
        verdict = self.call("GET", "/check")
        assert verdict["balanced"] == (not verdict["problems"])
        problems: list[str] = verdict["problems"]
        return problems


def button(message: Message, label: str) -> str | None:
    """The whole label of the button that has these words; the shortest when several do (10 before 10 more)."""
    wanted = re.compile(rf"(?<!\w){re.escape(label)}(?!\w)", re.IGNORECASE)
    fitting = [b["text"] for row in message["buttons"] for b in row if wanted.search(b["text"])]
    return min(fitting, key=len, default=None)


def copies(message: Message) -> list[str]:
    """What the copy buttons of a message copy."""
    return [b["copy"] for row in message["buttons"] for b in row if b["copy"]]


def swift(
    folder: Path, *, telegram: int = 10, others: int = 10, by_hand: bool = False, chains: Collection[str] = ("bsc",)
) -> dict[str, str]:
    """Environment in which simulators are asked, and written to, that many times as often a second as the real things
    allow, and agree to it: most stories are not about limits, and waiting them out is most of the time they take.

    `by_hand`: somebody of the team is in the story, who works at what no group takes; else that is paid back.
    `chains`: what people can pay on. Watching all four took a third of the bot's time while the clock was turned.
    """
    settings = folder / "settings"
    shutil.copytree(ROOT / "settings", settings)
    for name, usual, quick in (
        ("bot.toml", "per_second = 30", f"per_second = {30 * telegram}"),
        ("bot.toml", "group_per_minute = 20", f"group_per_minute = {20 * telegram}"),
        ("bot.toml", 'chat_gap_seconds = "1"', f'chat_gap_seconds = "{1 / telegram}"'),
        ("payments.toml", "requests_per_second = 20", f"requests_per_second = {20 * others}"),
        ("payments.toml", "batch_blocks = 8", "batch_blocks = 50"),
        ("payments.toml", "batch_receipts = 4", "batch_receipts = 50"),
        ("panels.toml", "pace_per_second = 2", f"pace_per_second = {2 * others}"),
        ("schedule.toml", "crowd_lines = true", f"crowd_lines = {'true' if by_hand else 'false'}"),
    ):
        told = (settings / name).read_text()
        assert usual in told, f"{name} does not say {usual}"
        (settings / name).write_text(told.replace(usual, quick))
    for chain in CHAINS - {*chains}:
        _leave_out(chain, settings)
    return {"SETTINGS_DIR": str(settings), "SANDBOX_TELEGRAM_PACE": str(telegram)}


def _leave_out(chain: str, settings: Path) -> None:
    told = (settings / "payments.toml").read_text()
    without, times = re.subn(rf"(?m)^(\[networks\.{chain}\].*\nenabled = )true$", r"\1false", told)
    assert times == 1, f"payments.toml does not say that {chain} is enabled"
    (settings / "payments.toml").write_text(without)


@contextmanager
def running_sandbox(data_dir: Path, **environment: str) -> Iterator[Sandbox]:
    """`viralcore sandbox` as its own process on a free port, up and ready; stopped by SIGTERM afterwards."""
    port = free_port()
    env = {**os.environ, "SANDBOX_PORT": str(port), "DATA_DIR": str(data_dir), **environment}
    log = data_dir / "console.log"
    data_dir.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "viralcore", "sandbox"], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    sandbox = Sandbox(f"http://127.0.0.1:{port}")
    try:
        _wait_until_up(sandbox, process, log)
        yield sandbox
    finally:
        sandbox.http.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DOWN_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the sandbox did not stop:\n{log.read_text()[-2000:]}") from None


def _wait_until_up(sandbox: Sandbox, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + UP_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if sandbox.settle(5.0)["quiet"]:
                return
        except (httpx.HTTPError, Refused, ValueError):
            time.sleep(0.2)
    raise AssertionError(f"the sandbox did not come up:\n{log.read_text()[-4000:]}")
