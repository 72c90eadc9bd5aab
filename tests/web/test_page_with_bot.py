"""A person buys on the page, with the real bot behind it: from START to the receipt, and nothing complains."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.support.chromium import browser, chromium, complaints
from tests.support.sandbox import Sandbox, running_sandbox, swift
from viralcore.sandbox.stage import ADA_ID, ADMIN_GROUP

SHOWN = 30_000
WAY = ("I agree", "Service Menu", "Twitter/X", "Engagement", "X Tier 3", "10", "Crypto", "USDT", "BSC")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    chromium()
    folder = tmp_path_factory.mktemp("page")
    with running_sandbox(folder, **swift(folder)) as sandbox:
        yield sandbox


@pytest.fixture
async def chrome() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


async def press(page: Page, label: str) -> None:
    wanted = re.compile(rf"(?<!\w){re.escape(label)}(?!\w)")  # 10 is not 100
    button = page.locator("#messages button.key", has_text=wanted).last
    await expect(button).to_be_visible(timeout=SHOWN)
    await button.click()


async def test_a_person_buys_and_is_credited(chrome: Browser, shop: Sandbox) -> None:
    page = await chrome.new_page(viewport=ViewportSize(width=1280, height=800))
    complained = complaints(page)
    await page.goto(shop.url)
    await expect(page.locator("#chat-title")).to_have_text("Ada")
    guide = page.locator(".guide")
    await expect(guide).to_contain_text("Press START")

    await page.click("#start")
    await expect(page.locator(".message", has_text="Terms of use")).to_be_visible(timeout=SHOWN)
    for label in WAY:
        await press(page, label)
    banner, code = page.locator(".message img.photo").first, page.locator(".picture.square img.photo").last
    await expect(code).to_be_visible(timeout=SHOWN)
    for picture in (banner, code):
        assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 200
    await expect(guide).to_contain_text("Pay it")

    await page.get_by_role("button", name="Copy amount").click()
    await expect(page.locator(".key.copied")).to_have_count(1)
    await page.click("[data-pay=exactly]")
    await expect(page.locator(".item .state.final")).to_be_visible(timeout=SHOWN)
    await expect(page.locator(".message", has_text="Payment received")).to_be_visible(timeout=SHOWN)
    await expect(page.locator(".message", has_text="You have 10 X Tier 3 posts")).to_be_visible()
    await expect(page.locator(f"[data-chat='{ADMIN_GROUP}'] .badge")).to_be_visible(timeout=SHOWN)

    await guide.get_by_role("button", name="Use a sample link").click(timeout=SHOWN)
    await page.keyboard.press("Enter")
    await press(page, "Confirm")
    await expect(page.locator(".message", has_text="Order #1").last).to_be_visible(timeout=SHOWN)
    await page.click("[data-turn='1800']")
    await expect(page.locator(".progress")).to_be_visible()
    await expect(page.locator(".order")).to_have_count(2, timeout=2 * SHOWN)
    await page.get_by_role("button", name="Compare all books").click()
    await expect(page.locator(".books")).to_contain_text("agree", timeout=SHOWN)
    assert any("Order #1" in message["text"] for message in shop.messages(ADA_ID))
    assert complained == []


async def test_a_person_pays_by_bank(chrome: Browser, shop: Sandbox) -> None:
    page = await chrome.new_page(viewport=ViewportSize(width=1280, height=800))
    complained = complaints(page)
    await page.goto(f"{shop.url}/?chat={shop.person(2050, 'Bola')}")
    await expect(page.locator("#chat-title")).to_have_text("Bola")
    await page.click("#start")
    for label in (*WAY[:6], "Bank"):
        await press(page, label)
    card = page.locator(".pay.bank")
    await expect(card.locator(".sum")).to_contain_text("₦", timeout=SHOWN)
    (charge,) = shop.charges()
    await expect(card.locator(".sum")).to_contain_text(charge["account_number"])
    await card.locator("[data-bank=short]").click()
    await expect(page.locator(".message", has_text="by bank transfer")).to_be_visible(timeout=SHOWN)
    await page.get_by_text("Bank", exact=True).last.click()  # the screen asks for the rest now; the account still works
    await page.locator(".accounts [data-bank=exactly]").click()
    await expect(page.locator(".message", has_text="You have 10 X Tier 3 posts")).to_be_visible(timeout=SHOWN)
    shop.calm()
    (charge,) = shop.charges()
    assert [payment["webhooks"] for payment in charge["payments"]] == [1, 1]
    assert shop.check() == []
    assert complained == []
