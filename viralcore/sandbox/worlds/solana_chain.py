"""The simulated Solana: slots, and transactions with the balances before and after them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from viralcore.sandbox.worlds import solana_keys as keys
from viralcore.sandbox.worlds.chains import BlockChain, Wish

DECIMALS = {"SOL": 9, "USDT": 6}
GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
RENT = 2_039_280  # what a token account costs its creator
_FEE = 5000
_PROGRAM_BALANCE = 1


@dataclass(frozen=True, slots=True)
class Instruction:
    """`parsed`: what ``jsonParsed`` tells of it; None where it is not understood."""

    program: str
    accounts: tuple[str, ...]
    data: bytes
    parsed: Any = None
    inner: tuple[Instruction, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """What one token account holds before and after; None where it does not exist."""

    account: str
    owner: str
    mint: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """`signatures`: the first is the transaction's id, the others are of who signed beside. `loaded`: accounts named
    through lookup tables, writable and readonly. `coins`: lamports before and after, in the order of `accounts`."""

    signatures: tuple[str, ...]
    signers: tuple[str, ...]
    writable: tuple[str, ...]
    readonly: tuple[str, ...]
    loaded: tuple[tuple[str, ...], tuple[str, ...]]
    version: int | None  # None: from before versions
    ok: bool
    coins: tuple[tuple[int, int], ...]
    holdings: tuple[Holding, ...]
    instructions: tuple[Instruction, ...]
    memo: str | None
    blockhash: str

    @property
    def hash(self) -> str:
        return self.signatures[0]

    @property
    def fee(self) -> int:
        return _FEE * len(self.signatures)

    @property
    def accounts(self) -> tuple[str, ...]:
        return (*self.signers, *self.writable, *self.readonly, *self.loaded[0], *self.loaded[1])


class Chain(BlockChain[Transaction]):
    """Places are slots."""

    first_block = 380_000_000
    final_after = timedelta(seconds=13)
    old_block_time = timedelta(milliseconds=400)

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self.rng = rng
        self.address = keys.new_wallet(rng)  # people pay to it
        self._coins: dict[str, int] = {}
        self._tokens: dict[str, int] = {}
        super().__init__(now, rng)

    def block_hash(self, number: int, *parts: object) -> str:
        return keys.spelled(hashlib.sha256(":".join(map(str, (number, *parts))).encode()).digest())

    def new_wallet(self) -> str:
        return keys.new_wallet(self.rng)

    def history(self, step: int) -> tuple[Transaction, ...]:
        """Some lamports from strangers who want to be noticed."""
        return (self._coin_transfer(self.new_wallet(), self.address, 1),) if step % 2 else ()

    def strangers(self) -> tuple[Transaction, ...]:
        """Somebody else's payment, and now and then a token nobody asked for."""
        raw = self.rng.randrange(10**6, 900 * 10**6)
        others = [self._token_transfer(keys.USDT, self.new_wallet(), self.new_wallet(), raw)]
        if self.rng.randrange(5) == 0:
            others.append(self._token_transfer(self.new_wallet(), self.new_wallet(), self.address, raw))
        return tuple(others)

    def transaction(self, wish: Wish) -> Transaction:
        sender = wish.sender or self.new_wallet()
        if wish.asset == "SOL":
            return self._coin_transfer(sender, wish.to, wish.raw, ok=not wish.failed, inner=wish.via_contract)
        return self._token_transfer(
            wish.contract or keys.USDT,
            sender,
            wish.to,
            wish.raw,
            shares=wish.shares(),
            change=wish.change,
            ok=not wish.failed,
            inner=wish.via_contract,
        )

    def _coin_transfer(
        self, sender: str, to: str, lamports: int, *, ok: bool = True, inner: bool = False
    ) -> Transaction:
        info = {"destination": to, "lamports": lamports, "source": sender}
        data = (2).to_bytes(4, "little") + lamports.to_bytes(8, "little")
        steps = [Instruction(keys.SYSTEM, (sender, to), data, {"info": info, "type": "transfer"})]
        moved = {sender: -lamports, to: lamports} if to != sender else {}
        return self._sign(sender, steps, moved, (), ok=ok, inner=inner)

    def _token_transfer(
        self,
        mint: str,
        sender: str,
        to: str,
        raw: int,
        *,
        shares: Sequence[int] = (),
        change: int = 0,
        ok: bool = True,
        inner: bool = False,
    ) -> Transaction:
        source, target = keys.token_account(sender, mint), keys.token_account(to, mint)
        known, had = self._tokens.get(source), self._tokens.get(target)
        held = known if known is not None and known >= raw else raw + self.rng.randrange(10**9)
        moved = raw - change if ok and source != target else 0
        holdings = [Holding(source, sender, mint, held, held - moved)]
        if source != target:
            exists = had is not None or not ok
            holdings.append(Holding(target, to, mint, (had or 0) if exists else None, (had or 0) + moved))
        steps = [] if had is not None or not ok else [_open_account(sender, target, to, mint)]
        steps += [self._move(mint, sender, source, target, share) for share in shares or (raw,)]
        if change:
            steps.append(self._move(mint, to, target, source, change))
        rents = {sender: -RENT, target: RENT} if had is None and ok else {}
        return self._sign(sender, steps, rents, tuple(holdings), ok=ok, inner=inner)

    def _move(self, mint: str, owner: str, source: str, target: str, raw: int) -> Instruction:
        """Wallets name the token and its decimals, exchanges often do not."""
        ends = {"authority": owner, "destination": target, "source": source}
        if self.rng.random() < 0.3:
            info = {"amount": str(raw), **ends}
            return Instruction(
                keys.TOKEN,
                (source, target, owner),
                b"\x03" + raw.to_bytes(8, "little"),
                {"info": info, "type": "transfer"},
            )
        checked = {**ends, "mint": mint, "tokenAmount": ui_amount(raw)}
        data = b"\x0c" + raw.to_bytes(8, "little") + b"\x06"
        return Instruction(
            keys.TOKEN, (source, mint, target, owner), data, {"info": checked, "type": "transferChecked"}
        )

    def _sign(
        self,
        sender: str,
        steps: list[Instruction],
        moved: dict[str, int],
        holdings: tuple[Holding, ...],
        *,
        ok: bool,
        inner: bool,
    ) -> Transaction:
        """Everything around what is moved: the fee, who pays it, a memo, the version, balances."""
        rng = self.rng
        sponsor = self.new_wallet() if rng.random() < 0.2 else sender
        signers = tuple(dict.fromkeys((sponsor, sender)))
        memo = f"order {rng.randrange(10**6)}" if rng.random() < 0.25 else None
        if inner:
            ends = tuple(dict.fromkeys(each for step in steps for each in step.accounts))
            steps = [Instruction(keys.ROUTER, ends, rng.randbytes(8), None, tuple(steps))]
        budget = [
            Instruction(keys.BUDGET, (), b"\x02" + (60_000).to_bytes(4, "little")),
            Instruction(keys.BUDGET, (), b"\x03" + rng.randrange(10**6).to_bytes(8, "little")),
        ]
        noted = [Instruction(keys.MEMO, (), memo.encode(), memo)] if memo else []
        steps = [*budget, *steps, *noted]
        writable = tuple(
            each for each in dict.fromkeys([*moved, *(holding.account for holding in holdings)]) if each not in signers
        )
        named = [each for step in _all(steps) for each in (*step.accounts, step.program)]
        readonly = tuple(each for each in dict.fromkeys(named) if each not in {*signers, *writable})
        version = 0 if rng.random() < 0.4 else None
        loaded: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        if version == 0 and rng.random() < 0.7:  # lookup tables spare room; programs must be named in full
            loaded = writable, tuple(each for each in readonly if each not in keys.PROGRAMS)
            writable, readonly = (), tuple(each for each in readonly if each in keys.PROGRAMS)
        made = Transaction(
            signatures=tuple(keys.spelled(rng.randbytes(64)) for _ in signers),
            signers=signers,
            writable=writable,
            readonly=readonly,
            loaded=loaded,
            version=version,
            ok=ok,
            coins=(),
            holdings=holdings,
            instructions=tuple(steps),
            memo=memo,
            blockhash=keys.spelled(rng.randbytes(32)),
        )
        return self._with_balances(made, moved if ok else {})

    def _with_balances(self, made: Transaction, moved: dict[str, int]) -> Transaction:
        held = {holding.account: holding.before for holding in made.holdings}
        coins = []
        for account in made.accounts:
            fee = made.fee if account == made.signers[0] else 0
            if account in keys.PROGRAMS:
                before = _PROGRAM_BALANCE
            elif account in held:
                before = 0 if held[account] is None else RENT
            else:
                before = self._coins.get(account, 0)
            change = moved.get(account, 0) - fee
            if before + change < 0:  # a stranger has as much as he needs
                before = self.rng.randrange(10**9) - change
            coins.append((before, before + change))
            self._coins[account] = before + change
        for holding in made.holdings:
            if made.ok and holding.after is not None:
                self._tokens[holding.account] = holding.after
        fields = {name: getattr(made, name) for name in Transaction.__slots__}
        return Transaction(**{**fields, "coins": tuple(coins)})


def _all(steps: Sequence[Instruction]) -> list[Instruction]:
    return [each for step in steps for each in (step, *step.inner)]


def _open_account(payer: str, account: str, owner: str, mint: str) -> Instruction:
    """Opening a token account in somebody's name, paid for by whoever sends to it."""
    info = {
        "account": account,
        "mint": mint,
        "source": payer,
        "systemProgram": keys.SYSTEM,
        "tokenProgram": keys.TOKEN,
        "wallet": owner,
    }
    return Instruction(
        keys.ASSOCIATED,
        (payer, account, owner, mint, keys.SYSTEM, keys.TOKEN),
        b"\x01",
        {"info": info, "type": "createIdempotent"},
    )


def ui_amount(raw: int, decimals: int = 6) -> dict[str, Any]:
    """An amount as nodes tell it, in every way at once. The number is for people; nobody may count with it."""
    whole, rest = divmod(raw, 10**decimals)
    text = f"{whole}.{rest:0{decimals}d}".rstrip("0").rstrip(".")
    return {"amount": str(raw), "decimals": decimals, "uiAmount": float(text) if raw else None, "uiAmountString": text}
