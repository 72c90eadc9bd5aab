"""The buttons of withdrawals: what the person presses, what staff press on a card or in the Admin Panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.screen import Action, action


@action
@dataclass(frozen=True, slots=True)
class WithdrawTo(Action):
    """An account used before: the bank is asked whose it is, and for its fee. `amount`: minor units of the source."""

    CODE: ClassVar[str] = "w_to"
    source: str
    amount: int
    account: int


@action
@dataclass(frozen=True, slots=True)
class ForgetAccount(Action):
    """No longer offer a saved account."""

    CODE: ClassVar[str] = "w_forget"
    account: int


@action
@dataclass(frozen=True, slots=True)
class ConfirmWithdrawal(Action):
    """Ask for the money on the terms of a check."""

    CODE: ClassVar[str] = "w_ok"
    check: int


@action
@dataclass(frozen=True, slots=True)
class CancelWithdrawal(Action):
    CODE: ClassVar[str] = "w_cancel"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class ConfirmTerms(Action):
    """Accept the new terms. `rate`: the one that was shown."""

    CODE: ClassVar[str] = "w_again"
    withdrawal: int
    rate: str


@action
@dataclass(frozen=True, slots=True)
class ApproveWithdrawal(Action):
    """Staff card. `given`: the approvals it showed, so that a second one is a press of its own."""

    CODE: ClassVar[str] = "wd_yes"
    withdrawal: int
    given: int


@action
@dataclass(frozen=True, slots=True)
class RejectWithdrawal(Action):
    """Staff card: the next line typed is the reason its owner reads."""

    CODE: ClassVar[str] = "wd_no"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class MarkPaid(Action):
    """Staff card: it was paid by hand, or an unconfirmed one was seen to leave; the next line is its reference."""

    CODE: ClassVar[str] = "wd_paid"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class CannotPay(Action):
    """Staff card: one that is paid by hand cannot be; the next line typed is the reason."""

    CODE: ClassVar[str] = "wd_fail"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class PayByHand(Action):
    """Staff card: nothing of an automatic one ever left; the next line typed says why one of us pays it."""

    CODE: ClassVar[str] = "wd_hand"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class AskOwnerAgain(Action):
    """Staff card: the terms of one that is to be paid by hand are out of date; the next line typed is the reason."""

    CODE: ClassVar[str] = "wd_again"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class ShowAccount(Action):
    """Staff card: the account number, to the one who presses."""

    CODE: ClassVar[str] = "wd_show"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class LookAgain(Action):
    """Staff card: ask the bank about a transfer now."""

    CODE: ClassVar[str] = "wd_look"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class GiveBack(Action):
    """Staff card: the bank does not know an unconfirmed one; the next line typed is the reason."""

    CODE: ClassVar[str] = "wd_back"
    withdrawal: int


@action
@dataclass(frozen=True, slots=True)
class AskSwitch(Action):
    """Owner: turn a switch of the payouts; the next line typed is the reason. `what`: mode | paused."""

    CODE: ClassVar[str] = "wd_sw"
    what: str
    value: str


@action
@dataclass(frozen=True, slots=True)
class ConfirmSwitch(Action):
    CODE: ClassVar[str] = "wd_swok"
    what: str
    value: str


CARDS: tuple[type[Action], ...] = (
    ApproveWithdrawal,
    RejectWithdrawal,
    MarkPaid,
    CannotPay,
    PayByHand,
    AskOwnerAgain,
    ShowAccount,
    LookAgain,
    GiveBack,
)
"""What stands on cards in the admin group."""
