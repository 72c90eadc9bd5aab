"""The system's Chromium through playwright. In CI its absence is a failure, elsewhere a skip."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Where Chromium is."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing, and CI must not skip the page")
        pytest.skip("Chromium is not installed")
    return found


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser that talks to loopback only, as everything in tests."""
    path = chromium()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield opened
        finally:
            await opened.close()


def complaints(page: Page) -> list[str]:
    """A list that fills with everything the page complains about."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found
