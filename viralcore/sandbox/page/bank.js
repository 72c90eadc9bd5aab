// The bank: one click pays the account on the open chat's screen; every account can be paid, and the bank can be broken.

import { busy, clockTime, copy, el, post, toast } from "./dom.js";
import { part } from "./pay.js";

const SHOWN = 4;
const WAYS = [
  ["exactly", "Pay exactly", 100n, 1, "as the screen says"],
  ["short", "10 % less", 90n, 1, "a shortfall"],
  ["over", "10 % more", 110n, 1, "too much"],
  ["twice", "Twice", 100n, 2, "the same transfer, two times"],
];
const OUTAGES = [["", "works"], ["503", "503"], ["503_slow", "503 after a while"], ["503_slow_booked", "503, but done"], ["hang", "hangs"],
  ["drop", "drops"], ["429", "too many requests"], ["html", "web page"], ["bad_json", "bad JSON"]];
const WEBHOOKS = [["on", "arrive"], ["late", "30 min late"], ["once", "are tried once"], ["off", "are lost"]];
const PROOFS = [["", "right"], ["wrong", "wrong"], ["missing", "missing"]];
const SWITCHES = [
  ["duplicate_webhooks", "Webhooks come two or three times", true, 0],
  ["shuffle", "Webhooks come in disorder", true, false],
  ["lie", "Webhooks tell ten times the amount", true, false],
  ["pending_first", "Payments are undecided for a minute", 60, 0],
  ["payer_pays_fee", "The payer pays the fee on top", true, false],
  ["swallow_next", "The answer to the next charge is lost", 1, 0],
];

export class Bank {
  /** `sent()`: after a payment or a change; `chooser(label, options, value, change)`: a select that does something. */
  constructor(chats, sent, chooser) {
    this.chats = chats;
    this.sent = sent;
    this.chooser = chooser;
    this.drawn = ["", "", ""];
    this.card = el("div.pay.bank", { "aria-live": "polite", hidden: true });
    this.accounts = el("div.accounts");
    this.faults = el("div.faults");
  }

  draw(bank) {
    if (!bank) return;
    const found = this.chats.open > 0 ? findCharge(this.chats.list(this.chats.open), bank) : null;
    const { charges, transfers, messages, ...faults } = bank;
    this.fill(0, [this.chats.open, found], () => this.drawCard(found));
    this.fill(1, charges.slice(0, SHOWN + 1), () => this.drawAccounts(charges));
    this.fill(2, faults, () => this.drawFaults(faults));
  }

  fill(place, source, drawing) {
    const text = JSON.stringify(source);
    if (this.drawn[place] === text) return;
    this.drawn[place] = text;
    drawing();
  }

  drawCard(charge) {
    this.card.hidden = !charge;
    this.card.classList.toggle("ready", Boolean(charge));
    if (!charge) { this.card.replaceChildren(); return; }
    const paid = charge.payments.length > 0;
    const who = this.chats.title(this.chats.open);
    this.card.replaceChildren(
      el("p.small", {}, paid ? "Sent. The bank tells the bot by itself." : `${who} has to pay by bank`),
      el("p.sum", {}, el("b", {}, naira(charge.transfer_amount)), ` to ${charge.account_number}`),
      this.ways(charge, !paid));
  }

  ways(charge, first) {
    return el("div.ways.four", {}, ...WAYS.map(([name, words, percent, times, title]) => {
      const button = el(`button${first && name === "exactly" ? ".strong" : ""}`, { type: "button", title, "data-bank": name,
        onclick: () => busy(button, () => this.pay(charge, percent, times)) }, words);
      return button;
    }));
  }

  async pay(charge, percent, times) {
    const amount = percent === 100n ? charge.transfer_amount : part(charge.transfer_amount, percent);
    for (let done = 0; done < times; done += 1) await post("/sandbox/bank/pay", { account_number: charge.account_number, amount });
    toast(`${naira(amount)} sent${times > 1 ? " twice" : ""}.`);
    await this.sent();
  }

  drawAccounts(charges) {
    this.accounts.replaceChildren(
      ...charges.slice(0, SHOWN).map((charge) => this.account(charge)),
      charges.length ? "" : el("p.soft.small", {}, "When the bot asks the bank for an account, it is here."),
      charges.length > SHOWN ? el("p.soft.small", {}, "and earlier ones") : "");
  }

  account(charge) {
    const [state, words] = charge.payments.length ? ["final", `paid ${charge.payments.length}×`]
      : charge.expired ? ["failed", "expired"] : ["pending", `until ${clockTime(charge.expires_at)}`];
    return el("div.order", {},
      el("div.row", {},
        el("button.hash.mono", { type: "button", title: `Copy ${charge.account_number}, ${charge.bank}`,
          onclick: (event) => copy(charge.account_number, event.currentTarget) }, charge.account_number),
        el("span.grow.cut", { title: charge.tx_ref }, naira(charge.transfer_amount)),
        el(`span.state.${state}`, {}, words)),
      this.ways(charge, false),
      ...charge.payments.slice(-SHOWN).map((one) => el("div.soft.small", {},
        `${one.currency === "NGN" ? naira(one.amount) : `${one.amount} ${one.currency}`} ${one.status}, ` +
        `${one.webhooks} webhook${one.webhooks === 1 ? "" : "s"} taken`)));
  }

  drawFaults(faults) {
    const change = (name) => (value) => post("/sandbox/bank", { [name]: value });
    const row = (words, name, options) => el("div.row", {}, el("span.grow", {}, words),
      this.chooser(words, options, faults[name] === "on" ? "" : faults[name], change(name)));
    const webhooks = WEBHOOKS.map(([key, words]) => [key === "on" ? "" : key, words]);
    this.faults.replaceChildren(
      row("The bank", "outage", OUTAGES),
      el("div.row", {}, el("span.grow", {}, "Webhooks", faults.waiting ? el("span.soft.small", {}, ` ${faults.waiting} on their way`) : ""),
        this.chooser("Webhooks", webhooks, faults.webhooks === "on" ? "" : faults.webhooks, (value) => change("webhooks")(value || "on"))),
      row("Their proof", "wrong_secret", PROOFS),
      ...SWITCHES.map(([name, words, on, off]) => {
        const box = el("input", { type: "checkbox", checked: Boolean(faults[name]), "data-fault": name,
          onchange: () => busy(box, async () => { await change(name)(box.checked ? on : off); await this.sent(); }) });
        return el("label.switch", {}, box, words);
      }));
  }
}

/** The account on the open chat's newest screen that names one. */
export function findCharge(messages, bank) {
  for (const message of messages.slice(-6).reverse()) {
    const copies = message.buttons.flat().map((button) => button.copy).filter(Boolean);
    const found = (bank?.charges ?? []).find(({ account_number: account }) => copies.includes(account) || message.text.includes(account));
    if (found) return found;
  }
  return null;
}

/** ₦24,500.00; the text is never a number. */
const naira = (amount) => `₦${amount.replace(/\B(?=(\d{3})+(?!\d)(?=.*\.))/g, ",")}`;
