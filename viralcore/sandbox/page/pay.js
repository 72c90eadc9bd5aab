// Pays what a payment screen asks for, on any network, rightly or in one of the ways in which people get it wrong.

import { busy, copy, el, post, toast } from "./dom.js";
import { FAKES, nameOf, networkOf } from "./networks.js";

const REMEMBERED = 4;
const UNTIL_CLOSED = 25 * 60; // seconds; a price is locked for 20 minutes

// [name, words, title, {percent of the amount, how often, what else is said of the transfer}]
const WAYS = [
  ["exactly", "Pay exactly", "as the screen says: recognised by itself", {}],
  ["short", "10 % less", "a shortfall: needs its hash", { percent: 90n }],
  ["over", "10 % more", "too much: needs its hash", { percent: 110n }],
];
const ODD = [
  ["twice", "Twice", "the same amount, two times", { times: 2 }],
  ["late", "Late", "after the invoice has closed: turns the clock by 25 minutes first", { late: true }],
  ["fake", "Fake token", "the same amount of a token that calls itself USDT and is worth nothing", { fake: true }],
  ["failed", "Fails", "a transfer that fails on the network: nothing arrives", { more: { failed: true } }],
];

export class PayCard {
  /** `sent()`: after a transfer; `offer(text)`: put words into the message box. */
  constructor(chats, sent, offer) {
    this.chats = chats;
    this.sent = sent;
    this.offer = offer;
    this.paid = new Set(); // payment screens this page has paid
    this.asked = new Map(); // person -> payments asked for, the newest first: screens are edited away
    this.drawn = "";
    this.node = el("div.pay", { "aria-live": "polite" });
  }

  draw(transfers = []) {
    this.transfers = transfers;
    const id = this.chats.open;
    const found = id > 0 ? findPayment(this.chats.list(id)) : null;
    const earlier = this.remember(id, found);
    const paid = found && this.isPaid(found);
    const text = JSON.stringify([id, found, paid, earlier]);
    if (text === this.drawn) return;
    this.drawn = text;
    this.node.classList.toggle("ready", Boolean(found));
    this.node.replaceChildren(...(found ? this.screen(found, paid)
      : [el("p.soft.small", {}, "When the bot asks for a payment, you pay it here with one click.")]),
    earlier.length ? this.memory(earlier) : "");
  }

  isPaid(found) {
    return this.paid.has(keyOf(found)) || this.transfers.some((one) =>
      one.network === found.network && one.asset === found.asset && same(one.amount, found.amount));
  }

  /** Payments asked for in this chat that no screen shows any more. */
  remember(id, found) {
    const known = this.asked.get(id) ?? [];
    const others = found ? known.filter((one) => keyOf(one) !== keyOf(found)) : known;
    if (found) this.asked.set(id, [found, ...others].slice(0, REMEMBERED + 1));
    return others.slice(0, REMEMBERED);
  }

  screen(found, paid) {
    const who = this.chats.title(this.chats.open);
    return [
      el("p.small", {}, paid ? "Sent. The network makes it final by itself, then the bot credits it." : `${who} has to pay`),
      el("p.sum", {}, el("b", {}, found.amount), ` ${found.asset} on ${nameOf(found.network)}`),
      el("div.ways", {}, ...WAYS.map((way) => this.button(found, way, !paid))),
      el("div.ways.odd", {}, ...ODD.map((way) => this.button(found, way, false))),
    ];
  }

  memory(earlier) {
    return el("details.more", {}, el("summary.small", {}, "Pay what was asked for earlier"),
      ...earlier.map((one) => el("div.asked", {},
        el("div.row", {}, el("span.grow.cut", {}, `${one.amount} ${one.asset} on ${nameOf(one.network)}`)),
        el("div.ways.odd", {}, ...[...WAYS, ODD[0]].map((way) => this.button(one, way, false))))));
  }

  button(found, [name, words, title, how], first) {
    const strong = first && name === "exactly";
    const label = name === "exactly" && !first ? "Pay again" : words;
    const button = el(`button${strong ? ".strong" : ""}`, { type: "button", title, "data-pay": name,
      onclick: () => busy(button, () => this.pay(found, name, how)) }, label);
    return button;
  }

  async pay(found, name, { percent = 100n, times = 1, late = false, fake = false, more = {} }) {
    if (late) await post("/sandbox/clock", { advance_seconds: UNTIL_CLOSED });
    const body = { asset: found.asset, to: found.to, amount: percent === 100n ? found.amount : part(found.amount, percent), ...more };
    if (fake) Object.assign(body, { asset: "USDT", amount: cut(found.amount, 6), contract: FAKES[found.network] });
    let hash = "";
    for (let done = 0; done < times; done += 1) {
      ({ hash } = await post(`/sandbox/chains/${found.network}/transfers`, body));
    }
    if (!fake && !more.failed) this.paid.add(keyOf(found));
    if (name !== "exactly" && name !== "late") this.offer(hash);
    toast(told(name, `${body.amount} ${fake ? "worthless USDT" : found.asset}`));
    await this.sent();
    this.draw(this.transfers);
  }
}

function told(name, what) {
  if (name === "exactly") return `${what} sent.`;
  if (name === "late") return `${what} sent, after the invoice had closed.`;
  if (name === "twice") return `${what} sent twice. The second hash is in the message box.`;
  if (name === "failed") return `${what} failed on the network. Give the bot the hash: it is in the message box.`;
  if (name === "fake") return `${what} sent. Give the bot the hash: it is in the message box.`;
  return `${what} sent. It is not the exact amount, so give the bot its hash: it is in the message box.`;
}

/** A transfer's hash as a small button that copies it. */
export const hashButton = (hash, words) => el("button.hash.mono", { type: "button", title: `Copy ${hash}`,
  onclick: (event) => copy(hash, event.currentTarget) }, words);

/** What the newest payment screen asks for: amount, coin, address and the network it is on. */
export function findPayment(messages) {
  for (const message of messages.slice(-6).reverse()) {
    const copies = message.buttons.flat().map((button) => button.copy).filter(Boolean);
    const amount = copies.find((text) => /^\d+(\.\d+)?$/.test(text));
    const to = copies.find((text) => text !== amount && networkOf(text));
    if (!amount || !to) continue;
    const [, asset = "USDT"] = message.text.match(new RegExp(`${amount.replace(".", "\\.")}\\s+([A-Z]{3,4})\\b`)) ?? [];
    return { amount, to, asset, network: networkOf(to) };
  }
  return null;
}

const keyOf = (payment) => `${payment.to} ${payment.asset} ${payment.amount}`;

const same = (one, other) => trimmed(one) === trimmed(other);
const trimmed = (amount) => (amount.includes(".") ? amount.replace(/\.?0+$/, "") : amount);

/** A percentage of a decimal amount, in whole steps of its last digit. Money is never a float, not even here. */
export function part(amount, percent) {
  const [whole, fraction = ""] = amount.split(".");
  const digits = String((BigInt(whole + fraction) * percent) / 100n).padStart(fraction.length + 1, "0");
  return fraction ? `${digits.slice(0, -fraction.length)}.${digits.slice(-fraction.length)}` : digits;
}

/** An amount without what a token of so many decimals cannot say. */
function cut(amount, decimals) {
  const [whole, fraction = ""] = amount.split(".");
  return fraction ? `${whole}.${fraction.slice(0, decimals)}` : whole;
}
