"""Rules of boosts, pure: the catalogue, links, the split into phases, what panels mean, and the states of an order.

Money first: who may move what, what is stored before each outside call, and what a death of the process leaves.

**Order** ``scheduled -> sending -> in_progress -> completed | partial | failed``, ``scheduled -> cancelled``. The state
of a running order is worked out from its phases; only settling and cancelling end it. Every writer locks the order's
row first, so whatever follows happens to one order one at a time.

**Line** follows its phases; it ends when its last phase does. A line whose channel does not exist yet, or that no panel
takes, has no phases and ends with the order, refunded by its share.

**Phase** (guarded updates, each must hit its row in the state and attempt named):
- ``waiting -> sending``: the dispatcher, when `next_at` has come. The same transaction writes the attempt (panel,
  service, link, quantity: frozen) and the effect ``phase:<id>:a<n>`` that will send it.
- ``sending -> sent``: the panel accepted. Its order id is stored in the transaction that records the outcome.
- ``sending -> sending``: the panel refused, or it is proven that nothing was sent. Attempt n + 1 at the next panel.
- ``sending -> waiting``: no panel took it. Another round later (`next_at`), ``-> failed`` after the bounded time.
- ``sending -> unknown``: silence after something may have been sent. Nobody but staff moves it on: ``unknown -> sent``
  ("it was placed", with the panel's order id), ``unknown -> sending`` ("it was not": attempt n + 1).
- ``sent -> completed | partial | failed``: the poller, from the panel's own word.
- ``completed -> partial | failed``: a day long the panel may take it back, once; nothing else leaves an end.
- A phase that its panel ended early is followed by a second one, ``waiting`` at once, for what is left: written in the
  transaction that ends the first, which it names (`remainder_of`, unique) and whose panel it avoids. It has no third.
  No second one: what is left is below every other panel's minimum, or staff asked the panel to cancel (then it is
  refunded), the buyer cancelled the rest, or the line has ended. Of a paused
  order it waits for the end of the pause.
- ``waiting -> cancelled``: the buyer; the whole order if every phase of it waits, else the rest of it, and what was not
  sent comes back by its share when the order ends. Dispatcher and buyer lock the order and look again, so one of them
  wins.

**A pause** is a moment on the order's row (`paused_at`). While it stands, no waiting phase of the order is dispatched,
whoever wrote it, and one whose panel refused waits too; `resume` moves the times of what waits by as long as it stood.
Groups and staff are not held: people have begun. A paused order always has something that waits, so it never ends.

**A custom plan** is a row and an asset (``custom-<id>``). Making and changing one needs the right ``plans``; posts are
given at no price, or sold by invoice at the plan's. Ending it takes back what is left (``custom:<id>:end:<key>``) and
pays for what was paid (``...:back``), in one transaction under the plan's row. A credit that would come back to a plan
that has ended is money instead: settling holds the plan's row shared, so it cannot end in between. What an invoice
bought that was paid after the end, or after the plan's time, is taken and paid back by the subscriber of
``InvoicePaid`` (``custom:<id>:invoice:<id>``).

**Money.** `confirm` debits the credits (``boost:draft:<id>``) and writes orders, lines and phases in one transaction;
the draft's row goes ``open -> confirmed`` in it, so a draft makes its orders once. When the last panel line ends, the
same transaction settles the order: nothing delivered at all -> the credit comes back at the price paid
(``return:order:<id>:invoice:<id>``: whose credit it is); else every line's undelivered part as money
(``refund:line:<id>``): lot price x share x undelivered fraction, rounded down to the cent. What of it is wallet money,
bonus money, or nobody's because it was forgiven, payments says, which remembers it by the invoice (its
domain/finance.py); ``refunded_cents`` of orders and lines count the price, ``unpaid_cents`` what of it nobody gets. A
cancelled order gives the credit back under the same key as an undelivered one, so never both. What a panel takes back
of an ended order comes back by the same sum, less what came before (``refund:corrected:<phase>``), in the
transaction that moves the phase.

**Request** (a refill, a cancel at the panel): ``asking -> accepted | refused | unknown | done``, an accepted refill
``-> done | rejected | lapsed``. It moves no money; one of a kind is open for a phase.

**A death of the process** leaves, wherever it strikes: before a commit, nothing. After the dispatcher's commit, a phase
``sending`` whose effect is queued; the next process sends it. Between the effect's claim and its call, or between call
and record, an effect of which nobody knows whether it was sent: the runner reports it as unknown, once, the phase
becomes ``unknown`` and staff get the card; it is never sent a second time by itself. Between two attempts, nothing:
recording one and writing the next are one transaction. A poll that dies is asked again. Before the commit that ends the
last phase nothing is settled, after it everything is.
"""
