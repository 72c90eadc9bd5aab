"""How amounts, times and lists read, the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from viralcore.core.money import NGN, USD, Money
from viralcore.core.screen import Button, Html, markup
from viralcore.texts import buttons
from viralcore.texts.actions import Go

METRICS = {
    "likes": ("❤️", "like"),
    "views": ("👁", "view"),
    "comments": ("💬", "comment"),
    "reposts": ("🔁", "repost"),
    "reactions": ("🎉", "reaction"),
    "votes": ("🗳", "vote"),
    "followers": ("👥", "follower"),
    "members": ("👥", "member"),
    "months": ("📅", "month"),
}
BANK = "bank"
_SIGNS = {USD: "$", NGN: "₦"}
NETWORKS = {"bsc": "BNB SMART CHAIN (BEP-20)", "solana": "SOLANA", "tron": "TRON (TRC-20)", "aptos": "APTOS"}
NETWORK_BUTTONS = {"bsc": "BSC (BEP-20)", "solana": "Solana", "tron": "Tron (TRC-20)", "aptos": "Aptos"}


def bonus_again(part: Money) -> Html | None:
    """Of money that came back, what is bonus money; nothing where none is."""
    if not part.minor:
        return None
    return markup("{bonus} of it had been paid with bonus money, and is bonus money again.", bonus=money(part))


def never_paid(part: Money) -> Html | None:
    """What does not come back of something that was not delivered."""
    if not part.minor:
        return None
    return markup(
        "{money} of the price had never been paid (we let a small shortfall pass), so that part does not come back.",
        money=money(part),
    )


def money(amount: Money) -> str:
    """``$15.00``, ``-₦1,200``, ``10 t3 posts``."""
    sign = "-" if amount.minor < 0 else ""
    if amount.asset == NGN:
        return sign + naira(abs(amount.decimal))
    if amount.asset in _SIGNS:
        return f"{sign}{_SIGNS[amount.asset]}{abs(amount.decimal):,.2f}"
    return sign + count(abs(amount.minor), f"{amount.asset} post")


def price(amount: Decimal) -> str:
    """A unit price: at least two places, more when it needs them (``$0.015``)."""
    text = f"{amount.normalize():f}"
    whole, _, fraction = text.partition(".")
    return f"${int(whole):,}.{fraction.ljust(2, '0')}"


def plain(amount: Decimal) -> str:
    """A coin amount as a wallet wants it: plain digits, no exponent, no separators, trailing zeros kept."""
    return f"{amount:f}"


def naira(amount: Decimal) -> str:
    """``₦24,000``; the kobo only where there are any (``₦24,000.50``)."""
    return f"₦{amount:,.2f}".removesuffix(".00")


def plain_naira(amount: Decimal) -> str:
    """The same as a bank's app wants it: ``24000``, ``24000.50``."""
    return f"{amount:.2f}".removesuffix(".00")


def count(number: int, noun: str) -> str:
    """``1 post``, ``3,500 views``."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def metric(name: str, number: int) -> str:
    """``75 likes``."""
    return count(number, METRICS[name][1])


def verified(some: int, of_all: int = 0) -> str:
    """`` (20 by verified accounts)``, of so many; empty for none."""
    if not some:
        return ""
    which = "all" if some == of_all else f"{some:,}"
    return f" ({which} by {'a verified account' if some == 1 else 'verified accounts'})"


def icon(name: str) -> str:
    return METRICS[name][0]


def network(name: str) -> str:
    return NETWORK_BUTTONS.get(name, name)


def coins(amount: str, asset: str, on: str) -> str:
    """``15.003412 USDT on BSC (BEP-20)``, ``₦24,000 by bank transfer``."""
    if on == BANK:
        return f"{naira(Decimal(amount)) if asset == NGN else f'{amount} {asset}'} by bank transfer"
    return f"{amount} {asset} on {network(on)}"


def join(words: Sequence[str]) -> str:
    """``likes``, ``likes and views``, ``likes, views and reposts``."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def span(delta: timedelta) -> str:
    """Time left or taken, in the one or two units a person thinks in."""
    minutes = max(0, int((delta.total_seconds() + 59) // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def moment(at: datetime) -> str:
    """A point in time, with its zone said: ``22 Nov 2026, 14:05 UTC``."""
    return f"{at:%d %b %Y, %H:%M} UTC"


def bar(done: int, total: int, width: int = 10) -> str:
    """A progress bar; full only when everything is delivered."""
    filled = width if done >= total > 0 else min(width - 1, done * width // max(total, 1))
    return "▰" * filled + "▱" * (width - filled)


def back_home(back: str | None = None) -> tuple[Button, ...]:
    """The way out that stands at the foot of every screen; where there is nothing to go back to, back is home too."""
    return (Button("⬅️ Back", Go(back or "home")), buttons.HOME)


def start_link(bot_username: str, payload: str) -> str:
    """Opens our private chat and says ``/start <payload>`` there."""
    return f"https://t.me/{bot_username}?start={payload}"


def order_link(bot_username: str, order_id: int) -> str:
    """Opens an order: for the person whose it is, and for staff."""
    return start_link(bot_username, f"o_{order_id}")
