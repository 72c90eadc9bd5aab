"""Cases of `texts.topup`."""

from __future__ import annotations

from tests.unit.texts.golden import Cases
from viralcore.core.money import usd
from viralcore.payments.api import BadAmount
from viralcore.texts import errors, topup

MINIMUM, MAXIMUM = usd(1), usd(5000)

CASES: Cases = {
    "choose": {
        "as shipped": topup.choose(
            presets=[usd(amount) for amount in (5, 10, 25, 50, 100)], minimum=MINIMUM, maximum=MAXIMUM
        ),
        "no presets": topup.choose(presets=[], minimum=MINIMUM, maximum=MAXIMUM),
    },
    "ask_amount": {"as shipped": topup.ask_amount(minimum=MINIMUM, maximum=MAXIMUM)},
    "bad_amount": {
        "a top-up": topup.bad_amount(errors.words(BadAmount(minimum=100, maximum=500_000)), back="topup"),
        "a move": topup.bad_amount(errors.words(BadAmount(minimum=1, maximum=1234)), back="move"),
    },
    "missing": {
        "some": topup.missing(invoice_id=12, total=usd("15.00"), balance=usd("3.25"), add=usd("11.75")),
        "all": topup.missing(invoice_id=12, total=usd("15.00"), balance=usd(0), add=usd("15.00")),
    },
    "move": {
        "three ways": topup.move(
            available=usd("12.34"), shares=[(25, usd("3.08")), (50, usd("6.17")), (100, usd("12.34"))]
        ),
        "one cent": topup.move(available=usd("0.01"), shares=[(100, usd("0.01"))]),
        "nothing": topup.move(available=usd(0), shares=[]),
    },
    "ask_move": {"some": topup.ask_move(available=usd("12.34"))},
    "confirm_move": {
        "half": topup.confirm_move(amount=usd("6.17"), available=usd("12.34")),
        "all": topup.confirm_move(amount=usd("12.34"), available=usd("12.34")),
    },
    "moved": {"some": topup.moved(amount=usd("6.17"), wallet=usd("9.42"))},
    "dollars": {"whole": topup.dollars(usd(25)), "with cents": topup.dollars(usd("2.50"))},
}
