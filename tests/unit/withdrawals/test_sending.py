"""What sending, asking and settling do where somebody else was first, or the provider says what it should not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.withdrawals import FakePayouts
from tests.unit.withdrawals.backroom import OneByOne, Said, Statements, house, kinds
from tests.unit.withdrawals.rows import NOW, account, attempt, record, request
from viralcore.core.effects import Later, Unknown
from viralcore.withdrawals.ports import Declined
from viralcore.withdrawals.repository import accounts, attempts, requests
from viralcore.withdrawals.repository.attempts import Switches
from viralcore.withdrawals.service.asking import Asking
from viralcore.withdrawals.service.dispatching import Dispatching
from viralcore.withdrawals.service.judging import Judging
from viralcore.withdrawals.service.returning import Returning
from viralcore.withdrawals.service.sending import SETTLED, Sending
from viralcore.withdrawals.service.settling import Settling

GOES = Switches(None, False, False, "", None)
NEW = attempt(state="sending", sends=0, provider_id="")
UNKNOWN, FAILED = attempt(state="unknown", provider_id=""), attempt(state="failed")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Statements:
    found = Statements(monkeypatch)
    found.answer(attempts, get=NEW, get_desk=GOES, lock_desk=GOES, change=True, turn=None, of=[NEW], unsent=[])
    found.answer(requests, get=request(), move=None, set_values=None)
    found.answer(accounts, get_accounts={1: account()})
    return found


def down() -> bool:
    return True


def broken() -> bool:
    raise ZeroDivisionError


# --- sending ----------------------------------------------------------------------------------------------------------


def sending(settling: Said, **parts: Any) -> tuple[Sending, FakePayouts]:
    made = house(**parts)
    return Sending(made, settling, Returning(made, Judging(made))), made.payouts  # type: ignore[arg-type]


async def test_an_attempt_that_is_gone_is_no_reason_to_send(said: Statements) -> None:
    said.answer(attempts, get=None)
    with pytest.raises(RuntimeError, match="vanished"):
        await sending(Said())[0].send(1, perhaps_sent=False)


@pytest.mark.parametrize("meanwhile", [None, FAILED, attempt(state="accepted")])
async def test_what_was_settled_before_the_call_is_not_sent(said: Statements, meanwhile: Any) -> None:
    said.answer(attempts, get=OneByOne.of(NEW, meanwhile))
    sender, payouts = sending(Said())
    assert await sender.send(1, perhaps_sent=False) == SETTLED
    assert (payouts.sent, said.changes()) == ([], [])


async def test_what_was_settled_while_it_was_looked_for_is_not_sent(said: Statements) -> None:
    said.answer(attempts, get=UNKNOWN)
    sender, payouts = sending(Said(missing=None))
    assert await sender.send(1, perhaps_sent=True) == SETTLED
    assert payouts.sent == []


async def test_who_cannot_be_asked_is_not_sent_to_again(said: Statements) -> None:
    settling = Said()
    sender, payouts = sending(settling)
    payouts.down = down
    assert await sender.send(1, perhaps_sent=True) == Later(sender._rules.unsent_seconds, "http_503")
    assert (payouts.sent, settling.names()) == ([], ["silent"])


@pytest.mark.parametrize(("now", "changes"), [(None, 0), (FAILED, 0), (NEW, 0), (attempt(state="sending"), 1)])
async def test_a_call_that_never_left_is_taken_back_where_it_was_counted(
    said: Statements, now: Any, changes: int
) -> None:
    said.answer(attempts, get=OneByOne.of(NEW, NEW, NEW, now))
    sender, payouts = sending(Said())
    payouts.fault = lambda reference: "not_sent"
    assert isinstance(await sender.send(1, perhaps_sent=False), Later)
    assert len(said.changes()) == 1 + changes  # the first is the note that it is sent


@pytest.mark.parametrize("why", ["final", "config", "passing"])
async def test_a_no_decides_nothing_where_an_earlier_call_may_have_arrived(said: Statements, why: Any) -> None:
    settling = Said()
    sender, _ = sending(settling)
    answer = await sender._declined(attempt(), Declined(why, "no"), perhaps_sent=True)
    assert answer == Unknown("declined", {"words": "no"})
    assert settling.names() == (["stop_refused", "silent"] if why == "config" else ["silent"])


@pytest.mark.parametrize(("is_down", "heard", "answer"), [(True, True, "?"), (False, False, "?"), (False, True, "")])
async def test_a_duplicate_is_adopted_only_where_it_was_seen_and_is_ours(
    said: Statements, is_down: bool, heard: bool, answer: str
) -> None:
    settling = Said(heard=heard)
    sender, payouts = sending(settling)
    payouts._take("vc-w1-a1", "044", "0690000032", record().amount)
    payouts.down = lambda: is_down
    found = await sender.send(1, perhaps_sent=False)
    assert found == (Unknown("duplicate") if answer else SETTLED)
    assert ("silent" in settling.names()) is bool(answer)


# --- asking -----------------------------------------------------------------------------------------------------------


def asking(settling: Said, **parts: Any) -> tuple[Asking, FakePayouts]:
    made = house(**parts)
    return Asking(made, settling), made.payouts  # type: ignore[arg-type]


async def test_nobody_pays_nobody_is_asked(said: Statements) -> None:
    asker, _ = asking(Said(), payouts=None)
    await asker.poll()
    assert (await asker.look(1), await asker.next_poll()) == ("nobody pays", None)


async def test_looking_for_what_is_gone(said: Statements) -> None:
    said.answer(attempts, get=None)
    assert await asking(Said())[0].look(1) == ""


@pytest.mark.parametrize(
    ("state", "listed", "heard", "calls"),
    [
        ("unknown", False, True, ["missing"]),
        ("accepted", False, True, ["missing"]),
        ("accepted", True, False, ["heard"]),
    ],
)
async def test_what_is_not_answered_is_asked_about_again(
    said: Statements, state: str, listed: bool, heard: bool, calls: list[str]
) -> None:
    """Also where its id there is not known any more: then by our reference."""
    both = Said(heard=heard)
    said.answer(attempts, get=attempt(state=state, provider_id="12345"))
    asker, payouts = asking(both)
    if listed:
        payouts._take("vc-w1-a1", "044", "0690000032", record().amount)
    assert await asker.look(1) == ""
    assert both.names() == calls
    assert [change["asks"] for change in said.changes()] == [1]


@pytest.mark.parametrize("state", ["down", "broken"])
async def test_one_that_breaks_stops_none_of_the_others(said: Statements, state: str) -> None:
    said.answer(attempts, due=[UNKNOWN, attempt(id=2, state="unknown")], get=UNKNOWN, next_due=NOW)
    asker, payouts = asking(Said())
    payouts.down = down if state == "down" else broken
    await asker.poll()
    assert [change["asks"] for change in said.changes()] == [1, 1]
    assert await asker.next_poll() == NOW


@pytest.mark.parametrize("seen", [[None], [FAILED], [UNKNOWN, None], [UNKNOWN, FAILED]])
async def test_what_ended_meanwhile_is_not_asked_about_again(said: Statements, seen: list[Any]) -> None:
    said.answer(attempts, get=OneByOne(seen))
    await asking(Said())[0]._note(1)
    assert said.changes() == []


# --- settling ---------------------------------------------------------------------------------------------------------


def settle(**parts: Any) -> tuple[Settling, Any, Said]:
    made, others = house(**parts), Said()
    return Settling(made, others, others), made.db.tx, others  # type: ignore[arg-type]


async def test_a_no_to_what_has_ended_changes_nothing(said: Statements) -> None:
    settling, tx, others = settle()
    said.answer(attempts, get=attempt(state="succeeded"))
    await settling.refused(tx, 1, reason="declined", words="no")
    await settling.silent(1, "http_503")
    assert (others.names(), said.changes(), tx.recorded) == ([], [], [])


async def test_silence_about_what_is_known_to_be_there_changes_nothing(said: Statements) -> None:
    settling, tx, _ = settle()
    said.answer(attempts, get=attempt(state="accepted"))
    await settling.silent(1, "http_503")
    assert (said.changes(), tx.recorded) == ([], [])


@pytest.mark.parametrize("seen", [[None], [UNKNOWN, None]])
async def test_an_attempt_that_is_gone_is_no_reason_to_settle(said: Statements, seen: list[Any]) -> None:
    settling, tx, _ = settle()
    said.answer(attempts, get=OneByOne(seen))
    with pytest.raises(RuntimeError, match="vanished"):
        await settling.accepted(tx, 1, provider_id="7", fee=None)


async def test_closing_must_hit(said: Statements) -> None:
    settling, _, others = settle()
    said.answer(attempts, get=UNKNOWN, change=False)
    with pytest.raises(RuntimeError, match="was not unknown"):
        await settling.heard(1, [record(status="successful")])
    assert others.names() == []


@pytest.mark.parametrize(("state", "statement"), [("unconfirmed", "move"), ("processing", "set_values")])
@pytest.mark.parametrize(("why", "stopped"), [("config", True), ("passing", False)])
async def test_read_as_failed_for_a_while(
    said: Statements, state: str, statement: str, why: str, stopped: bool
) -> None:
    settling, tx, others = settle()
    said.answer(attempts, get=UNKNOWN)
    said.answer(requests, get=request(state=state))
    assert await settling.heard(1, [record(status="failed", why=why, complete_message="Not enough")])
    (moved,) = said.changes(statement)
    assert (moved["next_attempt_at"] - NOW).total_seconds() == 60
    assert said.changes()[0]["reason"] == ("config" if stopped else "bank")
    assert kinds(tx.recorded) == ["WithdrawalAttemptFailed", *(["PayoutSwitched", "PayoutTrouble"] if stopped else [])]
    assert others.names() == ([] if stopped else ["fill"])


async def test_of_several_records_a_successful_one_counts_and_one_of_another_account_does_not(
    said: Statements,
) -> None:
    settling, _, others = settle()
    said.answer(attempts, get=UNKNOWN, note_alarm=True)
    good, wrong = record(id="8", status="successful"), record(id="9", status="successful", account_number="1")
    assert await settling.heard(1, [record(status="failed", why="final"), wrong, good])
    assert [change["provider_id"] for change in said.changes()] == ["8"]
    assert others.names() == ["complete", "fill"]
    assert not await settling.heard(1, [wrong])


# --- letting go -------------------------------------------------------------------------------------------------------


async def test_a_request_that_is_gone_is_not_let_go(said: Statements) -> None:
    said.answer(attempts, in_flight=9, to_send=[1])
    said.answer(requests, get=None)
    made = house()
    with pytest.raises(RuntimeError, match="vanished"):
        await Dispatching(made, Returning(made, Judging(made))).run()
