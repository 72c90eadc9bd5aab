"""What finance may do with money: give stray money to somebody, and give money back. States, movers, crashes, sums.

RECEIPT     money of one transfer (see states.py for how it gets here)
  suspense  -> credited   the crediting transaction, once a pasted hash explains it;
                          or finance (right ``payments.assign``, open session): to an invoice, or to a wallet, which
                          leaves the receipt without an invoice. Final. Who comes second is told who was first.

REFUND      money of a paid invoice given back, a row of payments.refunds
  -         -> done       finance (right ``refunds``, open session), holding the invoice's row. Never changed, never
                          deleted; there is no other state, because the posting is in the same transaction.
GIVING BACK what was bought and not delivered, as money (an order, a plan that is over): no row, a posting. Whoever
                          sold it asks for cents of the price, holding rows of their own first, then the invoice's row.

What one refund does, in one transaction: the invoice's row is held; ``refunded_cents`` moves from what the decider saw
(guarded; the database refuses more than was paid); one posting: revenue to wallet and bonus, unused credits back to the
house; the row, the audit line, the event.
What one giving back does, in its caller's transaction: the key is taken; the invoice's row is held; ``given_cents``
moves on (guarded; the database refuses more than the price); revenue to wallet and bonus.

If the process dies
  before the commit       nothing of it exists: the press is handled again, with the same key
  after it                all of it exists: the press is handled again and finds its key; the notice's event committed
                          with it
  inside a reminder       it is told once: the row that says so and the event are one transaction

Who is stopped by what
  two who assign one receipt       the held receipt row: the second finds it credited
  a paste and an assignment        the held sighting row, which the judge holds as well
  two who refund one invoice       the held invoice row, and the amount each of them saw: the second sees another
  a refund and a giving back       the held invoice row: who comes second splits what is left after the first
  a refund and an order            the credit's balance row: a lot that is not there any more refuses the posting, and
                                   with it the whole refund
  a forged press                   the right, checked in the transaction that would act

The rule of refunds
  Paid is what came from the person: the total less what was forgiven. Never more than that goes back, in all.
  Bonus money goes back to bonus in the share it had, rounded towards bonus (it cannot be withdrawn); the rest goes to
  the wallet. All of it together gives back exactly what was taken from each.
  An order counts in cents of the price, and of the price a part may have been forgiven. So the invoice remembers one
  number, how many cents of its price have gone back by now (``given_cents``), for orders and for finance; every part
  follows from it, and a piece gets what the parts are after it less what they were before it. Of g cents of the price,
  g x paid / total is money, rounded down: the rest nobody had paid, and nobody gets. Of that money the share of bonus
  is as above. Both only grow with g, so a row of pieces never gives more of a part than was paid of it, and the whole
  price gives exactly that. Finance counts in money: its refund moves the number to the first one that is so much money.
  What is asked for beyond the price is nobody's money, and is not given.
  Where no purchase is known at all, nobody is known to have paid: it goes to bonus.
  Of a purchase of credits, every refund takes back as many as cover all that was refunded so far, at the price paid
  for one, rounded up; the whole sum takes all of them. So no row of small refunds leaves credits behind that were paid
  back. They come from the purchase's own lot first, then from credits that orders gave back at the same price. Credits
  in orders are not touched: what they cost cannot be refunded here (an order that ends gives back its own part). A
  credit that came back names its purchase in its posting, and is taken for that one alone; those of before it did are
  taken for any at that price.
  Goods are not refunded here at all: the invoice is the order, and what that does not deliver goes back when it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Parts:
    """What a piece of a price is made of, in cents: `wallet` and `bonus` go back where they came from, `unpaid` never
    was anybody's."""

    wallet: int
    bonus: int
    unpaid: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a paid invoice asked for, in cents: `bonus` of it was paid with bonus money, `forgiven` of it not at all."""

    total: int
    bonus: int
    forgiven: int

    @property
    def paid(self) -> int:
        return self.total - self.forgiven

    def money(self, given: int) -> int:
        """Of so many cents of the price, what was paid."""
        return given * self.paid // self.total

    def given(self, money: int) -> int:
        """The fewest cents of the price that are so much money."""
        return -(-money * self.total // self.paid) if self.paid else 0

    def of_bonus(self, money: int) -> int:
        """Of so much money, what was bonus money."""
        return -(-money * self.bonus // self.paid) if self.bonus else 0

    def piece(self, before: int, cents: int) -> Parts:
        """The next `cents` of the price to go back, after `before` of them. Beyond the price there is no money."""
        first, last = self.money(before), self.money(min(before + cents, self.total))
        bonus = self.of_bonus(last) - self.of_bonus(first)
        return Parts(last - first - bonus, bonus, cents - (last - first))


@dataclass(frozen=True, slots=True)
class Purchase:
    """A paid invoice as refunds see it, in cents. `bonus`: of `paid`, what was bonus money.

    `refunded`: given back by finance; `elsewhere`: by orders and plans. `credits`: bought with it (0: none), at
    `unit_cost` USD each; `taken`: credits taken back so far.
    """

    paid: int
    bonus: int
    refunded: int
    credits: int = 0
    unit_cost: Decimal = Decimal(0)
    taken: int = 0
    elsewhere: int = 0

    @property
    def gone(self) -> int:
        """What has been given back."""
        return self.refunded + self.elsewhere

    @property
    def left(self) -> int:
        """What has not been given back."""
        return self.paid - self.gone

    @property
    def _rate(self) -> Fraction:
        """Cents for one credit: its price, or what was really paid for it when some was forgiven."""
        return min(Fraction(self.unit_cost) * 100, Fraction(self.paid, self.credits))

    def most(self, unused: int) -> int:
        """Cents that can be given back now, when so many credits of this purchase are unused."""
        if not self.credits or self.taken + unused >= self.credits:
            return self.left
        return min(self.left, max(0, int((self.taken + unused) * self._rate) - self.refunded))

    def takes(self, cents: int) -> int:
        """Credits that a refund of so many cents takes back."""
        after = self.refunded + cents
        if not self.credits:
            return 0
        if after >= self.paid:
            return self.credits - self.taken
        rate = self._rate
        needed = -(-after // rate) if rate else self.credits
        return max(0, min(needed, self.credits) - self.taken)

    def to_bonus(self, cents: int) -> int:
        """The part of a refund that is bonus money."""
        price = Price(total=self.paid, bonus=self.bonus, forgiven=0)
        return price.of_bonus(self.gone + cents) - price.of_bonus(self.gone)
