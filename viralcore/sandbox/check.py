"""Compares the shop's books with the simulators': what chains, bank and panels know must be what we know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from viralcore import bootstrap
from viralcore.boosts.api import Boosts, PanelOrderView
from viralcore.ledger.api import Ledger, house_account
from viralcore.payments.api import Payments, ReceiptView
from viralcore.sandbox.world import BookOrder, BookPayment, BookPayout, Books, BookTransfer
from viralcore.settings import Settings, load
from viralcore.withdrawals.api import TransferView, Withdrawals

PAGE, MOST_SAID = 500, 50
BANK, NAIRA, KOBO, BY_HAND = "bank", "NGN", 100, "manual:"


async def problems(environment: Mapping[str, str], books: Sequence[Books]) -> list[str]:
    """Problems in plain words; empty when everything agrees. `environment`: what the bot was told."""
    async with bootstrap.doors(settings_of(environment)) as doors:
        found = [*await doors.ledger.check()]
        receipts = await _receipts(doors.payments)
        found += transfer_problems(
            [transfer for book in books for transfer in book.transfers],
            [receipt for receipt in receipts if receipt.network != BANK],
        )
        found += bank_problems(
            [payment for book in books for payment in book.payments],
            [receipt for receipt in receipts if receipt.network == BANK],
        )
        found += payout_problems(
            [payout for book in books for payout in book.payouts], await _transfers(doors.withdrawals)
        )
        found += await _network_problems(doors.ledger, doors.payments)
        found += order_problems(
            [order for book in books for order in book.orders],
            await _panel_orders(doors.boosts),
            await doors.boosts.unknown_count(),
        )
    return found[:MOST_SAID]


def transfer_problems(transfers: Sequence[BookTransfer], receipts: Sequence[ReceiptView]) -> list[str]:
    """Every final, successful transfer of a coin we take is judged exactly once, for all it brought; no other ever is.
    What an adapter counts as a transfer inside a transaction is its own affair: the sums of each asset must agree."""
    due: dict[tuple[str, str, str], Decimal] = {}
    backdated = set()
    for item in transfers:
        if item.final and not item.failed and item.asset:
            key = (item.network, _same_hash(item.network, item.hash), item.asset)
            due[key] = due.get(key, Decimal(0)) + item.amount
            if item.backdated:
                backdated.add(key)
    due = {key: amount for key, amount in due.items() if amount > 0}
    judged: dict[tuple[str, str, str], Decimal] = {}
    for receipt in receipts:
        key = (receipt.network, _same_hash(receipt.network, receipt.hash), receipt.asset)
        judged[key] = judged.get(key, Decimal(0)) + receipt.amount
    found = []
    for key, amount in due.items():
        if key not in judged and key not in backdated:
            found.append(f"{_named(key)}: {amount:f} arrived and was never judged")
        elif judged.get(key, amount) != amount:
            found.append(f"{_named(key)}: {amount:f} arrived but {judged[key]:f} was judged")
    found += [f"{_named(key)}: {judged[key]:f} was judged but never arrived" for key in judged if key not in due]
    seen = Counter((r.network, _same_hash(r.network, r.hash), r.position) for r in receipts)
    found += [f"{network} {hash_}: judged {times} times" for (network, hash_, _), times in seen.items() if times > 1]
    return found


def _same_hash(network: str, told: str) -> str:
    """Hex is the same in capitals; base58, on Solana, is not."""
    return told if network == "solana" else told.lower()


def bank_problems(payments: Sequence[BookPayment], receipts: Sequence[ReceiptView]) -> list[str]:
    """Every successful payment is judged exactly once, for what it is; in another currency than naira it is nobody's
    credit, whatever it is worth. What staff saw on the shop's own account is not in this bank's book."""
    found = []
    judged: dict[str, list[ReceiptView]] = {}
    for receipt in receipts:
        if not receipt.hash.startswith(BY_HAND):
            judged.setdefault(receipt.hash, []).append(receipt)
    for payment in payments:
        named = f"bank payment {payment.id} ({payment.tx_ref})"
        said = Decimal(payment.amount) / KOBO
        ours = judged.pop(payment.id, [])
        if payment.status != "successful":
            found += [f"{named}: judged, but the bank says {payment.status}"] if ours else []
        elif not ours:
            found.append(f"{named}: {said:.2f} {payment.currency} arrived and was never judged")
        elif len(ours) > 1:
            found.append(f"{named}: judged {len(ours)} times")
        elif payment.currency != NAIRA:
            found += [f"{named}: {payment.currency} was credited"] if ours[0].state == "credited" else []
        elif (ours[0].asset, ours[0].amount) != (NAIRA, said):
            found.append(f"{named}: {said:.2f} NGN arrived but {ours[0].amount:f} {ours[0].asset} was judged")
    found += [f"bank payment {number}: was judged but never arrived" for number in judged]
    return found


def payout_problems(book: Sequence[BookPayout], ours: Sequence[TransferView]) -> list[str]:
    """Every payout at the bank is one attempt of ours, for what its request pays; of one request at most one arrived,
    and what we say of an end is what the bank says. What is not at an end here may be anything there."""
    found = []
    known = {attempt.reference: attempt for attempt in ours}
    arrived = Counter(
        known[payout.reference].withdrawal_id
        for payout in book
        if payout.status == "SUCCESSFUL" and payout.reference in known
    )
    found += [f"withdrawal {number}: paid {times} times" for number, times in arrived.items() if times > 1]
    for payout in book:
        attempt = known.pop(payout.reference, None)
        said = Decimal(payout.amount) / KOBO
        if attempt is None:
            found.append(f"payout {payout.reference}: {said:.2f} NGN were sent and belong to no withdrawal")
            continue
        named = f"withdrawal {attempt.withdrawal_id}, {payout.reference}"
        if payout.amount != attempt.net.minor:
            found.append(f"{named}: {said:.2f} NGN were sent instead of {attempt.net.decimal:.2f}")
        if attempt.state == "succeeded" and payout.status != "SUCCESSFUL":
            found.append(f"{named}: we say it arrived, the bank says {payout.status}")
        if attempt.state == "failed" and payout.status != "FAILED":
            found.append(f"{named}: we say it failed, the bank says {payout.status}")
    found += [
        f"withdrawal {attempt.withdrawal_id}, {attempt.reference}: the bank never heard of it"
        for attempt in known.values()
        if attempt.state in ("accepted", "succeeded")
    ]
    return found


def order_problems(book: Sequence[BookOrder], ours: Sequence[PanelOrderView], unknown: int) -> list[str]:
    """Every order in a panel's book belongs to one accepted phase. `unknown`: phases nobody knows the fate of, each of
    which excuses one order that is in no record of ours."""
    found = []
    known = {(order.panel, order.order): order for order in book}
    claims = Counter((record.panel, record.panel_order) for record in ours)
    found += [f"{panel} order {order}: claimed by {n} phases" for (panel, order), n in claims.items() if n > 1]
    tries = Counter((record.phase_id, record.attempt) for record in ours)
    found += [
        f"phase {phase}: attempt {attempt} was accepted {n} times" for (phase, attempt), n in tries.items() if n > 1
    ]
    for record in ours:
        placed = known.get((record.panel, record.panel_order))
        if placed is None:
            found.append(f"phase {record.phase_id}: {record.panel} has no order {record.panel_order}")
        elif (placed.service, placed.link, placed.quantity) != (record.service, record.link, record.quantity):
            found.append(
                f"phase {record.phase_id}: {record.panel} order {record.panel_order} is {placed.quantity} of service "
                f"{placed.service} for {placed.link}, not {record.quantity} of {record.service} for {record.link}"
            )
    strays = [order for key, order in known.items() if key not in claims]
    if len(strays) > unknown:
        found += [
            f"{order.panel} order {order.order}: {order.quantity} of service {order.service} for {order.link} "
            "belongs to no phase"
            for order in strays
        ]
    return found


async def _network_problems(ledger: Ledger, payments: Payments) -> list[str]:
    """What was booked, to a wallet or into suspense, is what the network's house account mirrors: coins by their value
    in cents, naira by themselves."""
    totals: dict[tuple[str, str], int] = {}
    for receipt in await _receipts(payments):
        if receipt.network == BANK and receipt.asset == NAIRA:
            totals[BANK, NAIRA] = totals.get((BANK, NAIRA), 0) + int(receipt.amount * KOBO)
        elif receipt.network != BANK and receipt.usd is not None:
            key = (receipt.network, receipt.asset)
            totals[key] = totals.get(key, 0) + receipt.usd.minor
    found = []
    for (network, asset), cents in sorted(totals.items()):
        kind, unit = (NAIRA, "kobo") if network == BANK else ("USD", "cents")
        mirrored = -(await ledger.balance(account=house_account(f"network:{network}:{asset}", kind))).balance
        if mirrored != cents:
            found.append(f"{network} {asset}: receipts book {cents} {unit}, the ledger mirrors {mirrored}")
    return found


async def _transfers(withdrawals: Withdrawals) -> list[TransferView]:
    found: list[TransferView] = []
    while True:
        page = await withdrawals.books.transfers(after_id=found[-1].id if found else 0, limit=PAGE)
        found += page
        if len(page) < PAGE:
            return found


async def _receipts(payments: Payments) -> list[ReceiptView]:
    found: list[ReceiptView] = []
    while True:
        page = await payments.receipts(after_id=found[-1].id if found else 0, limit=PAGE)
        found += page
        if len(page) < PAGE:
            return found


async def _panel_orders(boosts: Boosts) -> list[PanelOrderView]:
    found: list[PanelOrderView] = []
    seen: set[tuple[str, str, int, int]] = set()
    after = 0
    while True:
        page = await boosts.panel_orders(after=after, limit=PAGE)
        fresh = [one for one in page if (one.panel, one.panel_order, one.phase_id, one.attempt) not in seen]
        seen |= {(one.panel, one.panel_order, one.phase_id, one.attempt) for one in fresh}
        found += fresh
        if len(page) < PAGE or not fresh:
            return found
        after = page[-1].phase_id


def _named(key: tuple[str, str, str]) -> str:
    return f"{key[0]} {key[2]} {key[1]}"


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The bot's settings, read from the environment the bot was given instead of our own."""
    return load(environ=environment, env_file=None)
