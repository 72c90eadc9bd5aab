"""Every screen, word for word, and the rules all of them keep."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from types import ModuleType

import pytest

from tests.unit.texts import golden
from tests.unit.texts.golden import Said
from tests.unit.texts.screens import bank as bank_cases
from tests.unit.texts.screens import crowd as crowd_cases
from tests.unit.texts.screens import custom as custom_cases
from tests.unit.texts.screens import errors as error_cases
from tests.unit.texts.screens import finance as finance_cases
from tests.unit.texts.screens import goods as goods_cases
from tests.unit.texts.screens import held as held_cases
from tests.unit.texts.screens import home as home_cases
from tests.unit.texts.screens import hostile
from tests.unit.texts.screens import invoices as invoice_cases
from tests.unit.texts.screens import orders as order_cases
from tests.unit.texts.screens import panels as panel_cases
from tests.unit.texts.screens import receipts as receipt_cases
from tests.unit.texts.screens import reconciliation as reconciliation_cases
from tests.unit.texts.screens import referrals as referral_cases
from tests.unit.texts.screens import refunds as refund_cases
from tests.unit.texts.screens import replies as reply_cases
from tests.unit.texts.screens import reply_staff as reply_staff_cases
from tests.unit.texts.screens import shop as shop_cases
from tests.unit.texts.screens import staff as staff_cases
from tests.unit.texts.screens import staff_cards as staff_card_cases
from tests.unit.texts.screens import steering as steering_cases
from tests.unit.texts.screens import stuck as stuck_cases
from tests.unit.texts.screens import topup as topup_cases
from tests.unit.texts.screens import wallet as wallet_cases
from tests.unit.texts.screens import withdrawals as withdrawal_cases
from viralcore.core.errors import DomainError
from viralcore.core.screen import Html, Screen, decode, encode
from viralcore.payments.api import AccountView, ClaimView
from viralcore.sandbox.telegram.markup import parse_html, utf16
from viralcore.texts import (
    bank,
    crowd,
    custom,
    errors,
    finance,
    goods,
    held,
    hints,
    home,
    invoices,
    ledger_cards,
    order_text,
    orders,
    panels,
    placements,
    receipts,
    reconciliation,
    referrals,
    refunds,
    replies,
    reply_staff,
    shop,
    staff,
    staff_cards,
    staff_orders,
    steering,
    stuck,
    topup,
    wallet,
    withdrawal_answers,
    withdrawal_cards,
    withdrawal_desk,
    withdrawal_notices,
    withdrawals,
)
from viralcore.texts.actions import Go


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


MODULES = [
    (bank, bank_cases.CASES),
    (custom, custom_cases.CASES),
    (crowd, crowd_cases.CASES),
    (errors, error_cases.CASES),
    (finance, finance_cases.CASES),
    (goods, goods_cases.CASES),
    (home, home_cases.CASES),
    (invoices, invoice_cases.CASES),
    (order_text, order_cases.DRAWN),
    (receipts, receipt_cases.CASES),
    (steering, steering_cases.CASES),
    (topup, topup_cases.CASES),
    (orders, order_cases.CASES),
    (panels, panel_cases.CASES),
    (placements, panel_cases.PLACED),
    (hints, panel_cases.HINTS),
    (reconciliation, reconciliation_cases.CASES),
    (referrals, referral_cases.CASES),
    (refunds, refund_cases.CASES),
    (replies, reply_cases.CASES),
    (reply_staff, reply_staff_cases.CASES),
    (shop, shop_cases.CASES),
    (held, held_cases.CASES),
    (ledger_cards, held_cases.BOOKS),
    (staff, staff_cases.CASES),
    (staff_cards, staff_card_cases.CASES),
    (staff_orders, stuck_cases.ORDERS),
    (stuck, stuck_cases.CASES),
    (wallet, wallet_cases.CASES),
    (withdrawals, withdrawal_cases.CASES),
    (withdrawal_notices, withdrawal_cases.NOTICES),
    (withdrawal_answers, withdrawal_cases.ANSWERS),
    (withdrawal_cards, withdrawal_cases.STAFF),
    (withdrawal_desk, withdrawal_cases.PANEL),
]
FILES = [(f"{_name(module)}.{function}", cases) for module, all_of in MODULES for function, cases in all_of.items()]
each_screen = pytest.mark.parametrize(("name", "cases"), FILES, ids=[name for name, _ in FILES])
"""One test for all cases of a screen: for each of a thousand cases by itself, pytest took longer than the rules."""
NO_WAY_HOME = {"home.home", "home.terms", "home.blocked", "home.group_only_private"}
NO_WAY_HOME |= {"reply_staff.card", "staff_cards.card", "ledger_cards.problem", "stuck.card", "stuck.decided_card"}
NO_WAY_HOME |= {f"crowd.{name}" for name in ("group_post", "likes_post", "claim_taken")}
NO_WAY_HOME |= {f"crowd.{name}" for name in ("group_joined", "group_lost", "claims_card")}
NO_WAY_HOME |= {f"withdrawal_cards.{name}" for name in ("card", "trouble", "switched")}
"""Home itself, what stands before it, and what is shown where no home is."""
CAPTION, MESSAGE = 1024, 4096


def _said() -> Iterator[tuple[str, str, Said]]:
    return ((name, case, said) for name, cases in FILES for case, said in cases.items())


def _screens(cases: Mapping[str, Said]) -> Iterator[tuple[str, Screen]]:
    return ((case, said) for case, said in cases.items() if isinstance(said, Screen))


def _shown(said: Said) -> str:
    """The text as a person reads it; plain words are escaped where they are put into a text."""
    if isinstance(said, Screen | Html):
        return parse_html(said.text if isinstance(said, Screen) else said)[0]
    return said if isinstance(said, str) else " ".join(said)


@each_screen
def test_a_screen_reads_as_kept(name: str, cases: Mapping[str, Said]) -> None:
    now, kept = golden.golden(name, cases)
    assert now == kept, "read the difference; UPDATE_GOLDEN=1 keeps the new words"


def test_no_golden_is_left_behind() -> None:
    assert {path.stem for path in golden.FOLDER.glob("*.txt")} == {name for name, _ in FILES}


@pytest.mark.parametrize(("module", "cases"), MODULES, ids=[_name(module) for module, _ in MODULES])
def test_every_function_that_speaks_has_cases(module: ModuleType, cases: golden.Cases) -> None:
    speaks = {
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation in {"Screen", "Html", "str", "tuple[str, str]"}
    }
    assert speaks == set(cases)


@each_screen
def test_telegram_takes_the_text(name: str, cases: Mapping[str, Said]) -> None:
    for case, said in cases.items():
        text = _shown(said)
        assert text, case
        assert utf16(text) <= (CAPTION if isinstance(said, Screen) and said.picture else MESSAGE), case


@each_screen
def test_the_text_is_well_spaced(name: str, cases: Mapping[str, Said]) -> None:
    for case, said in cases.items():
        text = _shown(said)
        assert not re.search(r"\n{3}|[ \t]{2}|[ \t]\n|\n[ \t]| [,.;:!?](\s|$)|\(\s|\s\)", text), case
        assert not re.search(r"\bNone\b(?! (yet|of))|Decimal|Money\(|\b1 (posts|likes|views|votes|links)\b", text), case


@each_screen
def test_buttons_work(name: str, cases: Mapping[str, Said]) -> None:
    for case, screen in _screens(cases):
        for button in (button for row in screen.rows for button in row):
            assert [button.action, button.url, button.copy].count(None) == 2, (case, button)
            assert re.search(r"\w", button.label), f"{case}: words beside every emoji"
            if button.action is not None:
                assert decode(encode(button.action, "n" * 8)).action == button.action, case
            if button.url is not None:
                assert button.url.startswith(("https://t.me/", "https://x.com/")), case
            if button.copy is not None:
                assert 1 <= len(button.copy) <= 256, case
        assert all(screen.rows), f"{case}: no empty row"


@each_screen
def test_there_is_a_way_home(name: str, cases: Mapping[str, Said]) -> None:
    for case, screen in _screens(cases):
        homes = [b for row in screen.rows for b in row if "Home" in b.label and b.action == Go("home")]
        assert len(homes) == (0 if name in NO_WAY_HOME - {"home.terms"} else len(homes)), case
        assert homes or name in NO_WAY_HOME, case


def test_hostile_names_and_titles_are_shown_as_they_are() -> None:
    shown = [_shown(said) for _, case, said in _said() if "with markup" in case]
    assert len(shown) > 10
    for text in shown:
        wanted = [hostile.NAME, hostile.TITLE, hostile.LINK, "/<b>&xxx"]
        assert any(one in text for one in wanted), text


def test_every_refusal_there_is_has_a_case() -> None:
    shown = {error.code for error in error_cases.REFUSALS.values()}
    assert shown == errors.KNOWN
    assert all(isinstance(error, DomainError) for error in error_cases.REFUSALS.values())


def test_a_code_without_words_is_refused_politely() -> None:
    class Strange(DomainError):
        code = "strange.thing"

    assert errors.words(Strange()) == errors.words(DomainError())


@pytest.mark.parametrize("state", list(invoice_cases.REASONS))
def test_every_reason_of_a_hash_has_its_own_words(state: str) -> None:
    """The reasons are those the door names; each is told differently, and money that is here is never denied."""
    told = {
        reason: invoices.claim(state=state, reason=reason, tx_hash="0x", back=None, route="claim:1").text
        for reason in invoice_cases.REASONS[state]
    }
    assert len(set(told.values())) == len(told)
    documented = inspect.getdoc(ClaimView) or ""
    assert state in documented or state == "credited"
    assert all(reason in documented for reason in told)
    if state == "suspense":
        assert all("arrived" in text for text in told.values())


def test_every_reason_there_is_no_account_for_is_told() -> None:
    documented = inspect.getdoc(AccountView) or ""
    named = re.findall(r"(\w+) \(|(\w+), (?=config)", documented)
    assert {first or second for first, second in named} <= set(bank_cases.REASONS)
    assert all(f"{reason}" in documented for reason in bank_cases.REASONS[:-1])


LABELS = {
    "home.home": ["Service Menu", "My Balance", "Task 2 Earn", "Support", "Admin Panel"],
    "home.terms": ["I agree"],
    "shop.service_menu": ["Twitter/X", "Telegram", "My Orders", "Submit Link", "Reply Guys Panel"],
    "shop.platform": ["Engagement", "Followers", "Poll", "Special", "Premium Members", "Automation", "Extra"],
    "shop.group": [f"Tier {n}" for n in range(1, 6)],
    "shop.plan": ["10", "25", "50", "100", "Other amount"],
    "invoices.invoice": ["Crypto", "Bank", "Wallet", "Cancel"],
    "invoices.coins": ["USDT", "BNB", "SOL", "TRX", "APT"],
    "invoices.networks": ["BSC", "Tron", "Solana", "Aptos"],
    "invoices.payment": ["Copy amount", "Copy address", "I have paid", "Change method", "Cancel"],
    "goods.summary": ["Confirm", "Cancel"],
    "stuck.confirm_end": ["Confirm", "Cancel"],
    "staff_cards.card": ["Take", "Done", "Progress", "Cannot", "Release"],
    "shop.sizes": ["5", "10", "15", "20", "25", "30"],
    "staff.admin": ["Payments", "Team work", "Groups"],
    "crowd.group_post": ["I replied"],
    "crowd.claims": ["Approve", "Reject"],
    "finance.confirm_assign": ["Confirm", "Cancel"],
    "refunds.confirm_refund": ["Confirm", "Cancel"],
    "wallet.balance": ["Top up", "Withdraw", "Move to wallet", "History", "Credits"],
    "topup.choose": ["5", "10", "25", "50", "100", "Other amount"],
    "topup.move": ["25%", "50%", "100%", "Other amount"],
    "topup.confirm_move": ["Confirm", "Cancel"],
    "receipts.confirm_cancel": ["Confirm", "Cancel"],
    "receipts.invoice_list": ["🧾 #", "All", "Open", "Paid", "Closed", "Older"],
    "bank.account": ["Copy amount", "Copy account", "I have paid", "Change method", "Cancel"],
    "bank.by_hand": ["Copy amount", "Copy account", "I have paid", "Change method", "Cancel"],
    "bank.failed": ["Try again", "Change method", "Cancel"],
    "panels.panel": ["Make active", "Refresh services"],
    "panels.confirm_service": ["Confirm", "Cancel"],
    "placements.confirm_stop": ["Confirm", "Cancel"],
    "replies.panel": ["Submit replies", "Withdraw", "Submissions", "Task 2 Earn"],
    "replies.confirm_report": ["Confirm", "Cancel"],
    "reply_staff.card": ["Approve", "Reject"],
    "reply_staff.confirm_money": ["Confirm", "Cancel"],
    "orders.confirm": ["Confirm", "Cancel"],
    "referrals.program": ["Share", "Withdraw", "Move to wallet", "Earnings"],
    "withdrawals.amount": ["25%", "50%", "100%"],
    "withdrawals.check": ["Confirm", "Cancel"],
    "withdrawals.withdrawal": ["Confirm", "Cancel"],
    "withdrawals.confirm_cancel": ["Confirm", "Cancel"],
    "withdrawal_cards.card": ["Approve", "Reject", "Mark paid", "Show account"],
    "withdrawal_desk.confirm_switch": ["Confirm", "Cancel"],
    "orders.confirm_cancel": ["Confirm", "Cancel"],
}


@pytest.mark.parametrize("name", list(LABELS))
def test_people_who_knew_the_old_bot_find_their_way(name: str) -> None:
    shown = [
        button.label
        for at, _, said in _said()
        if at == name and isinstance(said, Screen)
        for row in said.rows
        for button in row
    ]
    assert [word for word in LABELS[name] if not any(word in label for label in shown)] == []


def test_a_payment_has_exactly_two_copy_buttons() -> None:
    for name, _, said in _said():
        if name in ("invoices.payment", "bank.account", "bank.by_hand") and isinstance(said, Screen):
            assert sum(button.copy is not None for row in said.rows for button in row) == 2
