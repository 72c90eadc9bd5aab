"""What a person sees when they take money out: source, amount, bank, number, the check, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import USD, Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts import withdrawal_words as words
from viralcore.texts.actions import Go
from viralcore.texts.withdrawal_actions import (
    CancelWithdrawal,
    ConfirmTerms,
    ConfirmWithdrawal,
    ForgetAccount,
    WithdrawTo,
)
from viralcore.texts.withdrawal_shapes import Account, Check, Quote, Request, Source

MINE = Button("📜 My withdrawals", Go("withdrawals"))
LONGEST_LABEL = 40


# --- asking -----------------------------------------------------------------------------------------------------------


def sources(found: Sequence[Source]) -> Screen:
    """Which balance; where none has money, what would fill them."""
    rich = [one for one in found if one.available.minor > 0]
    if not rich:
        text = Html(
            "🏧 <b>Withdraw</b>\n\nThere is nothing to withdraw yet. What you earn with your link, and by replying if "
            "you are a reply guy, can be paid to a Nigerian bank account."
        )
        return Screen(text, ((buttons.AFFILIATE, MINE), wording.back_home("balance")), route="withdraw")
    text = lines(
        Html("🏧 <b>Withdraw</b>\n\nWhich balance do you want to take money from?\n"),
        *(
            markup(
                "{icon} Your {name}: <b>{money}</b>",
                icon=words.source_icon(one.name),
                name=words.source(one.name),
                money=wording.money(one.available),
            )
            for one in rich
        ),
    )
    ways = [
        (
            Button(
                f"{words.source_icon(one.name)} {words.source(one.name).capitalize()}, {wording.money(one.available)}",
                Go(f"withdraw:{one.name}"),
            ),
        )
        for one in rich
    ]
    return Screen(text, (*ways, (MINE,), wording.back_home("balance")), route="withdraw")


def amount(one: Source, *, rate: Decimal | None, shares: Sequence[tuple[int, Money]], problem: Html | None) -> Screen:
    """`shares`: percent, and what that is of the balance. `problem`: what was wrong with the amount given."""
    back = _from(one.name)
    head = markup("🏧 <b>Withdraw from your {name}</b>\n", name=words.source(one.name))
    have = markup("You have <b>{money}</b>{naira}.", money=wording.money(one.available), naira=_about(one, rate))
    why = _closed(one)
    if why is not None:
        more = [Button(f"🏧 Withdrawal #{one.open_id}", Go(f"withdrawal:{one.open_id}"))] if one.open_id else []
        return Screen(lines(head, have, why), ((*more, MINE), wording.back_home(back)), route=f"withdraw:{one.name}")
    limits = markup(
        "At a time: from {least} to {most}.",
        least=wording.money(one.minimum) if one.minimum else "?",
        most=wording.money(one.maximum) if one.maximum else "?",
    )
    ask = markup(
        "How much? Choose, or send an amount like {like}. It is paid in naira to a bank account in Nigeria, after "
        "somebody in our team has looked at it. /cancel to stop.",
        like=Html("<code>25</code> or <code>12.50</code>" if one.available.asset == USD else "<code>5,000</code>"),
    )
    wrong = None if problem is None else markup("\n⚠️ {problem}", problem=problem)
    ways = [
        Button(f"{percent}% ({wording.money(part)})", Go(f"withdraw:{one.name}:{part.minor}"))
        for percent, part in shares
    ]
    rows = [(way,) for way in ways]
    text = lines(head, have, limits, wrong, markup("\n{ask}", ask=ask))
    return Screen(text, (*rows, (MINE,), wording.back_home(back)), route=f"withdraw:{one.name}")


def _about(one: Source, rate: Decimal | None) -> str:
    if rate is None or one.available.asset != USD:
        return ""
    return f", about {wording.naira(one.available.decimal * rate)} at {words.rate(rate)}"


def _from(name: str) -> str:
    return "affiliate" if name == "affiliate" else "balance"


def _closed(one: Source) -> Html | None:
    """Why nothing can be asked for now."""
    match one.problem:
        case "paused":
            return Html("\n⏸ Withdrawals are paused at the moment. Your money is safe; try again later.")
        case "open_request":
            return markup(
                "\nYour withdrawal #{id} is still open, and there can be one at a time. Wait until it has arrived, or "
                "cancel it while it waits for approval.",
                id=one.open_id,
            )
        case "no_rate":
            return Html("\nThere is no naira rate that we trust right now. Try again in a while.")
        case "too_little":
            least = wording.money(one.minimum) if one.minimum else "?"
            return markup("\nThe smallest withdrawal is {least}, so there is not enough yet.", least=least)
    return None


def bank(quote: Quote, saved: Sequence[Account], *, problem: Html | None = None) -> Screen:
    """Where to. `saved`: accounts used before."""
    where = f"withdraw:{quote.source}:{quote.amount.minor}"
    example = "the name of your bank, like GTBank or Opay"
    text = lines(
        Html("🏦 <b>To which bank account?</b>\n"),
        _quoted(quote),
        None if problem is None else markup("\n⚠️ {problem}", problem=problem),
        markup(
            "\nChoose an account you used before, or send {example}. /cancel to stop."
            if saved
            else "\nSend {example}. /cancel to stop.",
            example=example,
        ),
    )
    ways = [(Button(_label(one), WithdrawTo(quote.source, quote.amount.minor, one.id)),) for one in saved]
    tidy = ((Button("🗑 Saved accounts", Go("accounts")),),) if saved else ()
    return Screen(text, (*ways, *tidy, wording.back_home(f"withdraw:{quote.source}")), route=where)


def _quoted(quote: Quote) -> Html:
    fees = "before the bank's fee"
    if quote.amount.asset != USD:
        return markup(
            "{worth} from your {name}, {fees}.", worth=words.worth(quote), name=words.source(quote.source), fees=fees
        )
    return markup(
        "{worth} from your {name}, at {rate}, {fees}.",
        worth=words.worth(quote),
        name=words.source(quote.source),
        rate=words.rate(quote.rate),
        fees=fees,
    )


def _label(one: Account) -> str:
    return f"🏦 {one.bank_name[:20]} {one.masked[-8:]}, {one.holder}"[:LONGEST_LABEL]


def banks(quote: Quote, found: Sequence[tuple[int, str]], *, typed: str, known: bool = True) -> Screen:
    """`found`: id and name of banks that may be meant; `known`: there is a list to look in."""
    where = f"withdraw:{quote.source}:{quote.amount.minor}"
    if not found and known:
        text = markup(
            "🏦 No bank is called <i>{typed}</i>. Check the spelling, or send only the first letters of its name. "
            "/cancel to stop.",
            typed=typed[:60],
        )
        return Screen(text, (wording.back_home(where),))
    if not found:
        text = Html(
            "🏦 The list of banks is not there yet. Nothing was taken. Try again in a few minutes, or write to support."
        )
        return Screen(text, ((buttons.SUPPORT,), wording.back_home(where)))
    text = markup(
        "🏦 <b>Which of these is your bank?</b>\n\nYou wrote <i>{typed}</i>. Choose, or send the name again. /cancel "
        "to stop.",
        typed=typed[:60],
    )
    ways = [(Button(f"🏦 {name[:LONGEST_LABEL]}", Go(f"{where}:{number}")),) for number, name in found]
    return Screen(text, (*ways, wording.back_home(where)))


def digits_first() -> Html:
    return Html("That looks like an account number. Send the name of the bank first; the number comes next.")


def account_number(quote: Quote, *, bank_id: int, bank_name: str, problem: Html | None) -> Screen:
    where = f"withdraw:{quote.source}:{quote.amount.minor}"
    text = lines(
        markup("🔢 <b>Your account at {bank}</b>\n", bank=bank_name),
        _quoted(quote),
        None if problem is None else markup("\n⚠️ {problem}", problem=problem),
        Html(
            "\nSend the account number: exactly 10 digits. The bank tells us its name before you confirm. /cancel to "
            "stop."
        ),
    )
    return Screen(text, (wording.back_home(where),), route=f"{where}:{bank_id}")


def wrong_digits(number: int) -> Html:
    """`number`: how many digits were sent."""
    if not number:
        return Html("That is no account number. It has exactly 10 digits and nothing else.")
    return markup(
        "That has {digits}. An account number in Nigeria has exactly 10.", digits=wording.count(number, "digit")
    )


def check(one: Check, *, now: datetime) -> Screen:
    """What the bank said, or that it is being asked."""
    route, where = f"wcheck:{one.id}", f"withdraw:{one.quote.source}:{one.quote.amount.minor}"
    at = markup("{bank}, {number}", bank=one.bank_name, number=one.masked)
    if one.withdrawal_id is not None:
        text = markup("🏧 This was asked for as withdrawal #{id}.", id=one.withdrawal_id)
        button = Button(f"🏧 Withdrawal #{one.withdrawal_id}", Go(f"withdrawal:{one.withdrawal_id}"))
        return Screen(text, ((button,), wording.back_home("balance")), route=route)
    if one.state == "asking":
        text = markup(
            "🔎 <b>Checking the account</b> ...\n\n{at}\n\nWe ask the bank whose account this is. It takes a few "
            "seconds; the answer appears here.",
            at=at,
        )
        return Screen(text, (wording.back_home(where),), route=route)
    if one.state == "failed":
        text = markup("⚠️ <b>{at}</b>\n\n{why} Nothing was taken.", at=at, why=_no(one.reason))
        ways = (Button("🏦 Other account", Go(where)), Button("✏️ Other amount", Go(f"withdraw:{one.quote.source}")))
        return Screen(text, (ways, wording.back_home(where)), route=route)
    if now >= one.until:
        text = Html(
            "⌛ <b>This took too long</b>\n\nRate and fee may have changed. Nothing was taken. Ask the bank again."
        )
        return Screen(text, ((Button("🔁 Ask again", Go(where)),), wording.back_home("balance")), route=route)
    text = lines(
        Html("🏧 <b>Please check this withdrawal</b>\n"),
        markup("Account: {at}", at=at),
        markup("Its name at the bank: <b>{name}</b>\n", name=one.account_name)
        if one.account_name
        else Html("We cannot ask the bank whose it is: compare every digit. Our team pays it by hand.\n"),
        words.terms(one.quote),
        markup(
            "\nConfirm only if this is your account: what was paid to a wrong one cannot be fetched back. These terms "
            "hold until {until}.",
            until=wording.moment(one.until),
        ),
    )
    rows = (
        (Button("✅ Confirm", ConfirmWithdrawal(one.id)), Button("✖️ Cancel", Go("balance"))),
        wording.back_home(where),
    )
    return Screen(text, rows, route=route)


def _no(reason: str) -> Html:
    if reason == "not_found":
        return Html("The bank knows no account with that number. Check the number and the bank.")
    if reason == "too_small":
        return Html("The bank's fee would take all of it. Choose a larger amount.")
    return Html("The bank does not answer at the moment, so we cannot say whose account it is. Try again later.")


# --- afterwards -------------------------------------------------------------------------------------------------------


def withdrawal(one: Request) -> Screen:
    """One request: where it stands, and what may be done about it."""
    if one.again is not None and one.state == "pending":
        return _confirm_again(one, one.again)
    icon, state = words.state(one.state)
    paid = one.state == "completed"
    text = lines(
        markup("{icon} <b>Withdrawal #{id}: {state}</b>\n", icon=icon, id=one.id, state=state),
        words.outcome(one),
        None if paid else markup("\nTo: {account}", account=words.account(one)),
        *_terms(one),
        markup("Reference: <code>{reference}</code>", reference=one.reference) if one.reference else None,
        markup("\n🕑 {timeline}", timeline=words.timeline(one)),
    )
    return Screen(text, (*_ways(one), wording.back_home("withdrawals")), route=f"withdrawal:{one.id}")


def _terms(one: Request) -> list[Html]:
    if one.state in ("failed", "rejected", "cancelled"):
        return [markup("Amount: <b>{amount}</b>", amount=wording.money(one.quote.amount))]
    if one.state == "completed":
        return [markup("\n{terms}", terms=words.terms(one.quote, paid=True))]
    return [words.terms(one.quote)]


def _ways(one: Request) -> tuple[tuple[Button, ...], ...]:
    if one.state == "pending":
        return ((Button("✖️ Cancel withdrawal", Go(f"wcancel:{one.id}")),),)
    if one.state in ("failed", "rejected", "cancelled"):
        return ((Button("🏧 Withdraw again", Go("withdraw")), buttons.SUPPORT),)
    return ((buttons.SUPPORT,),)


def _confirm_again(one: Request, new: Quote) -> Screen:
    text = lines(
        markup("🔁 <b>Withdrawal #{id}: please confirm the new terms</b>\n", id=one.id),
        Html(
            "The rate has moved since you asked, or a day has passed, so what you would get has changed. Nothing is "
            "paid until you confirm; your money stays reserved meanwhile.\n"
        ),
        markup("Before: {net} at {rate}", net=words.net(one.quote), rate=words.rate(one.quote.rate)),
        markup("Now: <b>{net}</b> at {rate}\n", net=words.net(new), rate=words.rate(new.rate)),
        words.terms(new),
        markup("\nTo: {account}", account=words.account(one)),
    )
    rate = f"{new.rate.normalize():f}"
    rows = (
        (Button("✅ Confirm", ConfirmTerms(one.id, rate)), Button("✖️ Cancel withdrawal", Go(f"wcancel:{one.id}"))),
        wording.back_home("withdrawals"),
    )
    return Screen(text, rows, route=f"withdrawal:{one.id}")


def confirm_cancel(one: Request) -> Screen:
    text = markup(
        "✖️ Cancel withdrawal #{id}?\n\nNobody pays it then, and <b>{money}</b> is free in your {name} again at once.",
        id=one.id,
        money=wording.money(one.quote.amount),
        name=words.source(one.quote.source),
    )
    where = f"withdrawal:{one.id}"
    rows = ((Button("✅ Confirm", CancelWithdrawal(one.id)), Button("✖️ Cancel", Go(where))), wording.back_home(where))
    return Screen(text, rows, route=f"wcancel:{one.id}")


def history(found: Sequence[Request], *, older: int | None, first: bool) -> Screen:
    """Newest first. `older`: the id before which there are more."""
    if not found:
        text = Html("📜 <b>My withdrawals</b>\n\nYou have not withdrawn anything yet.")
        return Screen(
            text, ((Button("🏧 Withdraw", Go("withdraw")),), wording.back_home("balance")), route="withdrawals"
        )
    told = [
        markup(
            "{icon} <b>#{id}</b> {amount} to {bank} {number}: {state}\n{at}\n",
            icon=words.state(one.state)[0],
            id=one.id,
            amount=wording.money(one.quote.amount),
            bank=one.bank_name,
            number=one.masked,
            state=words.state(one.state)[1],
            at=wording.moment(one.created_at),
        )
        for one in found
    ]
    ways = [Button(f"{words.state(one.state)[0]} #{one.id}", Go(f"withdrawal:{one.id}")) for one in found]
    rows = [tuple(ways[i : i + 4]) for i in range(0, len(ways), 4)]
    pages = [
        *([] if first else [Button("⏮ Newest", Go("withdrawals"))]),
        *([] if older is None else [Button("⏬ Older", Go(f"withdrawals:{older}"))]),
    ]
    moves = (tuple(pages),) if pages else ()
    text = lines(Html("📜 <b>My withdrawals</b>\n"), *told)
    return Screen(text, (*rows, *moves, wording.back_home("withdraw")), route="withdrawals")


def accounts(saved: Sequence[Account]) -> Screen:
    """Accounts that are offered; each can be forgotten."""
    if not saved:
        text = Html(
            "🗑 <b>Saved accounts</b>\n\nThere are none yet. An account you withdraw to is kept here for the next time."
        )
        return Screen(text, (wording.back_home("withdraw"),), route="accounts")
    told = [
        markup("🏦 {bank}, {number}, {name}", bank=one.bank_name, number=one.masked, name=one.holder) for one in saved
    ]
    text = lines(Html("🗑 <b>Saved accounts</b>\n\nPress one to take it off the list.\n"), *told)
    ways = [(Button(f"🗑 Forget {one.bank_name[:20]} {one.masked[-8:]}", ForgetAccount(one.id)),) for one in saved]
    return Screen(text, (*ways, wording.back_home("withdraw")), route="accounts")
