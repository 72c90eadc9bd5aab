"""The first screens: welcome, terms, menu, help, support, and what is said to input nobody expected."""

from __future__ import annotations

from viralcore.core.screen import Button, Html, Picture, Screen, markup
from viralcore.texts import buttons, wording
from viralcore.texts.actions import Agree, AskLink, Go

BANNER = Picture("asset", "banner.png")

COMMANDS: tuple[tuple[str, str], ...] = (
    ("menu", "Main menu"),
    ("buy", "Buy a plan, e.g. /buy t3 10"),
    ("submitlink", "Boost a post: /submitlink and its link"),
    ("orders", "Your orders"),
    ("balance", "Your balance and posts left"),
    ("history", "Payments and movements"),
    ("referral", "Your link, and what it earns"),
    ("tasks", "Task 2 Earn: get paid for replies"),
    ("withdraw", "Take your earnings out"),
    ("help", "How it works"),
    ("support", "Talk to a person"),
    ("terms", "Terms of use"),
    ("cancel", "Stop what I asked you"),
)

_TERMS = """<b>Terms of use</b>

• We place orders for likes, views and other engagement with third parties, for posts whose links you send us. \
Send only links of posts that you may promote.
• We never ask for passwords and never create or control social accounts.
• A price holds for as long as its invoice is open. All money that reaches us is credited, even late or \
in another amount.
• What is not delivered comes back to you: as a post, or as money in your wallet.
• We may refuse or block links and accounts that are used to harm others.
• You can ask support for a copy of your data, or to have it deleted."""


def terms(*, version: str, accepted: bool, first_name: str) -> Screen:
    if accepted:
        text = markup(
            "{terms}\n\nVersion {version}. You have agreed to these terms.", terms=Html(_TERMS), version=version
        )
        return Screen(text, (wording.back_home(),), route="terms")
    text = markup(
        "👋 Welcome, {name}!\n\nBefore we start, please read this:\n\n{terms}\n\nVersion {version}.",
        name=first_name,
        terms=Html(_TERMS),
        version=version,
    )
    return Screen(text, ((Button("✅ I agree", Agree(version)),),), route="terms")


def home(*, first_name: str, staff: bool, posts: int, balance: str, banner: bool = False) -> Screen:
    """The main menu; `banner` on /start, while Home redraws the message that is there."""
    left = f"🎟 Posts you can boost: <b>{posts:,}</b>\n" if posts else ""
    text = markup(
        "👋 Hello, <b>{name}</b>!\n\nReal reach for your posts on X and Telegram: choose a plan, send a link, and "
        "follow the delivery.\n\n{left}💰 Wallet: <b>{balance}</b>",
        name=first_name,
        left=Html(left),
        balance=balance,
    )
    rows: list[tuple[Button, ...]] = [
        (buttons.MENU,),
        (Button("🔗 Submit Link", AskLink()), buttons.ORDERS),
        (buttons.AFFILIATE, buttons.EARN),
        (buttons.BALANCE, buttons.SUPPORT),
    ]
    if staff:
        rows.append((Button("🛠 Admin Panel", Go("admin")),))
    return Screen(text, tuple(rows), picture=BANNER if banner else None, route="home")


def help_screen() -> Screen:
    text = Html(
        "<b>How it works</b>\n\n"
        "1. <b>Buy a plan.</b> Open the Service Menu, or type <code>/buy t3 10</code> for ten posts of X Tier 3.\n"
        "2. <b>Pay</b> by crypto, by bank transfer (₦) or from your wallet, which you top up under My Balance. A "
        "crypto amount ends in a few odd digits: send exactly that, and your payment is recognised by itself.\n"
        "3. <b>Send the link</b> of a post, or type <code>/submitlink</code> and the link. You see what will be "
        "delivered before anything is used.\n"
        "4. <b>Watch.</b> You see when each part is sent, and one message follows the delivery. Whatever is not "
        "delivered comes back to you.\n\n"
        "/orders your orders · /balance your money and posts · /history every movement · "
        "/referral earn with friends · /tasks earn with replies · /withdraw take it out · /cancel stop a question · "
        "/support a person"
    )
    rows = ((buttons.MENU, Button("🔗 Submit Link", AskLink())), wording.back_home())
    return Screen(text, rows, route="help")


def support(*, contact: str, user_id: int) -> Screen:
    text = markup(
        "💬 <b>Support</b>\n\nA person will help you: {contact}\n\nGive them your number <code>{user_id}</code> and, "
        "if you have one, the number of your order or invoice. We never ask for passwords or keys.",
        contact=contact,
        user_id=user_id,
    )
    name = contact.lstrip("@")
    return Screen(text, ((Button("💬 Open chat", url=f"https://t.me/{name}"),), wording.back_home()), route="support")


def not_understood() -> Screen:
    text = Html(
        "I did not understand that. Send me the link of a post to boost it, paste the hash of a payment, or choose "
        "something below."
    )
    rows = (
        (buttons.MENU, Button("🔗 Submit Link", AskLink())),
        (Button("❓ Help", Go("help")), *wording.back_home()),
    )
    return Screen(text, rows)


def unknown_command(command: str) -> Screen:
    text = markup("I do not know the command {command}. /help shows what I can do.", command=command[:40])
    return Screen(text, ((Button("❓ Help", Go("help")), *wording.back_home()),))


def only_text() -> Screen:
    return Screen(
        Html("I can only read text here. Send a link, a number or a hash as a normal message."),
        ((Button("❓ Help", Go("help")), *wording.back_home()),),
    )


def unasked_photo() -> Screen:
    text = Html(
        "I was not waiting for a photo, so I did not keep this one. A receipt you sent before is not affected. To send "
        "one, open the invoice and press <b>I have paid</b>."
    )
    return Screen(text, ((buttons.BALANCE, Button("❓ Help", Go("help"))), wording.back_home()))


def edited() -> Screen:
    return Screen(
        Html("I do not read edited messages, so nothing was changed. Please send it again as a new message."),
        (wording.back_home(),),
    )


def too_long() -> Screen:
    return Screen(
        Html("That message is too long for me. Send one link, one number or one hash at a time."),
        ((Button("❓ Help", Go("help")), *wording.back_home()),),
    )


def nothing_to_cancel() -> Screen:
    return Screen(Html("There is nothing to cancel. No question of mine is open."), (wording.back_home(),))


TOO_LATE = Html("⌛ That took too long, so nothing was done. Begin again.")
"""Over a page, when Confirm was pressed after what was typed for it is forgotten."""


def stopped() -> Screen:
    return Screen(
        Html("All right, I stopped asking. Nothing was changed."),
        ((buttons.MENU, *wording.back_home()),),
    )


def refused(text: Html, *, back: str | None = None, more: tuple[Button, ...] = ()) -> Screen:
    """A refusal as a screen, with a way on."""
    rows = ((more,) if more else ()) + (wording.back_home(back),)
    return Screen(markup("⚠️ {text}", text=text), rows)


def notice(text: Html, *, back: str | None = None) -> Screen:
    """A plain answer as a screen, with a way on."""
    return Screen(text, (wording.back_home(back),))


def blocked(*, contact: str) -> Screen:
    text = markup("⛔ Your account is blocked. If you think this is a mistake, write to {contact}.", contact=contact)
    return Screen(text, ((Button("💬 Open chat", url=f"https://t.me/{contact.lstrip('@')}"),),))


def group_only_private(*, bot_username: str) -> Screen:
    return Screen(
        Html("I talk to people in private only. Open our chat and press Start."),
        ((Button("💬 Open the chat", url=wording.start_link(bot_username, "group")),),),
    )


def slow_down(*, commands: int, presses: int) -> Html:
    return Html(
        f"That was a bit fast. I can take {commands} commands or links and {presses} button presses a minute. "
        "Wait a moment, then try again."
    )


OUT_OF_DATE = "This menu is out of date, here is a fresh one."
CARD_OUT_OF_DATE = "This card is out of date: it was decided already, or it is not one of mine."
ALREADY_DONE = "The screen has just changed. Look at it, then press again if you still want to."
AGREE_FIRST = Html("<b>Please agree to the terms first</b>, then send that again.")
