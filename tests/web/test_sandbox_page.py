"""The page of the sandbox in a real browser: a person could use it, and it never complains."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.support.chromium import browser, complaints
from tests.support.stage import Set, picture, toy_sandbox
from tests.support.worlds import client
from viralcore.sandbox.stage import ADMIN_GROUP, OWNER_ID
from viralcore.sandbox.worlds.aptos import AptosWorld
from viralcore.sandbox.worlds.chain_world import ChainWorld
from viralcore.sandbox.worlds.solana import SolanaWorld
from viralcore.sandbox.worlds.tron import TronWorld

WIDE, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)


@pytest.fixture
async def stage() -> AsyncIterator[Set]:
    async with toy_sandbox() as running:
        yield running


@pytest.fixture
async def chrome() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


async def new_person(page: Page) -> None:
    await page.click("#new-person")
    await page.click("#person-dialog button.strong")
    await expect(page.locator("#chat-title")).to_have_text("Ada")
    await page.click("#start")


async def test_a_conversation(chrome: Browser, stage: Set) -> None:
    page = await chrome.new_page(viewport=WIDE)
    complained = complaints(page)
    await page.goto(stage.url)
    await new_person(page)
    welcome = page.locator(".message", has_text="Welcome to viralcore, Ada!")
    await expect(welcome.locator("b")).to_have_text("Welcome to viralcore, Ada!")
    await expect(welcome.locator("a", has_text="X")).to_have_attribute("href", "https://x.com")
    await expect(page.locator("a.key.url")).to_have_attribute("href", "https://e.org/t")

    await page.get_by_role("button", name="I agree").click()
    await expect(page.locator(".toast")).to_contain_text("Welcome aboard")
    await expect(page.locator(".message.flash")).to_contain_text("Invoice 12")
    photo = page.locator(".message img.photo")
    await expect(photo).to_have_js_property("naturalWidth", 320)

    await page.get_by_role("button", name="Why?").click()
    await expect(page.locator("#alert p")).to_have_text("Nothing")
    await page.keyboard.press("Enter")
    await expect(page.locator("#alert")).not_to_be_visible()
    assert complained == []


async def test_typing_is_safe_and_kept(chrome: Browser, stage: Set) -> None:
    page = await chrome.new_page(viewport=WIDE)
    complained = complaints(page)
    await page.goto(f"{stage.url}/?chat={OWNER_ID}")
    await page.click("#start")
    await expect(page.locator(".bubble").last).to_contain_text("Welcome")
    await page.fill("#text", "<img src=x onerror=alert(1)> " + "long " * 300)
    await page.keyboard.press("Enter")
    await expect(page.locator(".message.mine").last).to_contain_text("<img src=x")
    assert await page.locator("#messages .text img").count() == 0
    wide = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wide

    await page.fill("#text", "/sub")
    await expect(page.locator(".hint")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await expect(page.locator("#text")).to_have_value("/submitlink ")

    await page.set_input_files("#file", {"name": "p.png", "mimeType": "image/png", "buffer": picture()})
    await expect(page.locator("#attached")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.locator(".mine img.photo")).to_have_js_property("naturalWidth", 320)
    assert complained == []


async def test_the_world_panel(chrome: Browser, stage: Set) -> None:
    page = await chrome.new_page(viewport=WIDE)
    complained = complaints(page)
    await page.goto(stage.url)
    before = stage.stage.clock.now()
    await page.click("[data-turn='600']")
    done = page.locator(".pending")
    await expect(done).to_have_text("Everything that was due is done.", timeout=20_000)
    assert (stage.stage.clock.now() - before).total_seconds() >= 600

    await new_person(page)
    await page.get_by_role("button", name="I agree").click()
    await page.get_by_text("Send something else").click()
    await page.get_by_role("button", name="Copy amount").click()
    await expect(page.locator(".transfer [name=amount]")).to_have_value("15.0034")
    await page.get_by_role("button", name="Copy address").click()
    await expect(page.locator(".transfer [name=to]")).to_have_value(stage.bot.address)
    await expect(page.locator(".pay .sum")).to_have_text("15.0034 USDT on BSC")
    await page.locator(".transfer [name=final]").select_option("false")
    await page.get_by_role("button", name="Send", exact=True).last.click()
    await expect(page.locator(".item .state")).to_have_text("pending")
    await page.get_by_role("button", name="make final").click()
    await expect(page.locator(".item .state")).to_have_text("final")

    await page.get_by_role("button", name="Kill the bot").click()
    await expect(page.locator(".bot")).to_contain_text("Process 4243")
    await page.get_by_role("button", name="Compare all books").click()
    await expect(page.locator(".books")).to_contain_text("agree")
    await page.locator("select[aria-label='What smmflare does']").select_option("503")
    await expect(page.locator("select.broken")).to_have_count(1)
    assert complained == []


PAYMENTS = [
    (SolanaWorld, ("0.4312", "SOL", "SOLANA"), "0.4312 SOL on Solana"),
    (TronWorld, ("15.003412", "USDT", "TRON (TRC-20)"), "15.003412 USDT on Tron"),
    (AptosWorld, ("1.20034512", "APT", "APTOS"), "1.20034512 APT on Aptos"),
]


@pytest.mark.parametrize(("kind", "asks", "shown"), PAYMENTS, ids=["solana", "tron", "aptos"])
async def test_every_way_to_pay_on_every_network(
    chrome: Browser, stage: Set, kind: type[ChainWorld[Any]], asks: tuple[str, str, str], shown: str
) -> None:
    world = next(each for each in stage.stage.worlds if isinstance(each, kind))
    stage.bot.address, stage.bot.asks = world.address, asks
    page = await chrome.new_page(viewport=WIDE)
    complained = complaints(page)
    await page.goto(stage.url)
    await new_person(page)
    await page.get_by_role("button", name="I agree").click()
    card = page.locator(".pay.ready")
    await expect(card.locator(".sum")).to_have_text(shown)
    for count, name in enumerate(("exactly", "short", "over", "fake", "failed"), start=1):
        await card.locator(f"[data-pay={name}]").first.click()
        await expect(page.locator(".item")).to_have_count(count)
    await card.locator("[data-pay=twice]").click()
    await expect(page.locator(".item")).to_have_count(7)
    before = stage.stage.clock.now()
    await card.locator("[data-pay=late]").click()
    await expect(page.locator(".item")).to_have_count(8, timeout=60_000)
    assert (stage.stage.clock.now() - before).total_seconds() > 1200
    amount, asset, _ = asks
    sent = [(row.asset, row.amount / Decimal(amount), row.failed) for row in world.books().transfers]
    assert sent[0] == (asset, 1, False)
    assert sent[1][1].quantize(Decimal("0.001")) == Decimal("0.9")
    assert sent[2][1].quantize(Decimal("0.001")) == Decimal("1.1")
    assert (sent[3][0], sent[3][2]) == ("", False)
    assert sent[4] == (asset, 1, True)
    assert sent[5:] == [(asset, 1, False)] * 3

    stage.bot.asks = ("7.5", *asks[1:])
    await page.get_by_role("button", name="Back").click()
    await expect(card.locator(".sum")).to_contain_text("7.5")
    await page.get_by_text("Pay what was asked for earlier").click()
    await page.locator(".pay .asked", has_text=amount).locator("[data-pay=exactly]").click()
    await expect(page.locator(".item")).to_have_count(9)
    assert world.books().transfers[-1].amount == Decimal(amount)
    assert complained == []


async def test_a_form_for_any_network(chrome: Browser, stage: Set) -> None:
    page = await chrome.new_page(viewport=WIDE)
    complained = complaints(page)
    await page.goto(stage.url)
    await page.get_by_text("Send something else").click()
    form = page.locator(".transfer")
    for world in stage.stage.worlds:
        if not isinstance(world, ChainWorld):
            continue
        await form.locator("[name=network]").select_option(world.name)
        await expect(form.locator("[name=to]")).to_have_value(world.address)
        native = next(iter(world.decimals))
        for asset, kind in ((native, ""), ("USDT", "fake"), ("USDT", "failed")):
            await form.locator("[name=asset]").select_option(asset)
            await form.locator("[name=kind]").select_option(kind)
            await form.locator("[name=amount]").fill("2.5")
            await form.get_by_role("button", name="Send", exact=True).click()
            await expect(page.locator(".toast", has_text="Sent:").last).to_be_visible()
            await expect(form.locator("button.busy")).to_have_count(0)
        rows = [(row.asset, row.failed) for row in world.books().transfers]
        assert rows == [(native, False), ("", False), ("USDT", True)]
    assert complained == []


async def test_paying_by_bank(chrome: Browser, stage: Set) -> None:
    page = await chrome.new_page(viewport=WIDE)
    complained = complaints(page)
    account = await one_off_account(stage, "24500.50")
    await page.goto(stage.url)
    await new_person(page)
    await expect(page.locator(".pay.bank")).to_be_hidden()
    await page.fill("#text", f"Send it to {account}")  # the toy bot repeats it
    await page.keyboard.press("Enter")
    card = page.locator(".pay.bank")
    await expect(card.locator(".sum")).to_have_text(f"₦24,500.50 to {account}")
    await card.locator("[data-bank=exactly]").click()
    await expect(card).to_contain_text("Sent.")
    await page.get_by_text("Bank", exact=True).click()
    row = page.locator(".accounts .order")
    for way in ("short", "over", "twice"):
        await row.locator(f"[data-bank={way}]").click()
    await expect(row.locator(".state")).to_have_text("paid 5×")
    await expect(row).to_contain_text("1 webhook taken")
    paid = [payment.paid for payment in stage.bank.book.payments.values()]
    assert paid == [Decimal(text) for text in ("24500.50", "22050.45", "26950.55", "24500.50", "24500.50")]
    assert len(stage.bot.hooks) == 5

    await page.locator("select[aria-label='Webhooks']").select_option("off")
    await page.locator("select[aria-label='The bank']").select_option("503_slow_booked")
    await page.locator("[data-fault=shuffle]").check()
    await expect(page.locator("[data-fault=shuffle]")).to_be_checked()
    faults = stage.bank.faults
    assert (faults.webhooks, faults.outage, faults.shuffle) == ("off", "503_slow_booked", True)
    await page.locator("select[aria-label='Webhooks']").select_option("")
    await expect(page.locator("select.broken")).to_have_count(1)
    assert faults.webhooks == "on"
    assert complained == []


async def one_off_account(stage: Set, amount: str) -> str:
    async with client(stage.bank.app) as http:
        body = {"tx_ref": "vc-1-a", "amount": amount, "currency": "NGN", "email": "2001@pay.example.com"}
        headers = {"authorization": f"Bearer {stage.bank.key}"}
        answer = await http.post("/v3/charges?type=bank_transfer", json=body, headers=headers)
    return str(answer.json()["meta"]["authorization"]["transfer_account"])


async def test_groups_and_unread(chrome: Browser, stage: Set) -> None:
    page = await chrome.new_page(viewport=WIDE)
    complained = complaints(page)
    await page.goto(f"{stage.url}/?chat={ADMIN_GROUP}")
    await expect(page.locator("#speaker option")).to_have_count(2)
    await page.fill("#text", "hello group")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message .name")).to_have_text("viralcore")
    stage.stage.inbound.write(OWNER_ID, OWNER_ID, text="/start")
    await expect(page.locator(f"[data-chat='{OWNER_ID}'] .badge")).to_have_text("1")
    await page.click(f"[data-chat='{OWNER_ID}']")
    await expect(page.locator(".badge")).to_have_count(0)
    assert complained == []


async def test_on_a_phone(chrome: Browser, stage: Set) -> None:
    page = await chrome.new_page(viewport=PHONE)
    complained = complaints(page)
    await page.goto(f"{stage.url}/?chat={OWNER_ID}")
    await page.click("#start")
    await expect(page.locator(".bubble").last).to_contain_text("Welcome")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.click("#to-world")
    await expect(page.locator(".hands")).to_be_visible()
    await page.click("#from-world")
    await page.click("#to-chats")
    await expect(page.locator("#chat-list")).to_be_visible()
    assert complained == []
