// One click pays what the open chat's payment screen asks for: exactly, a little less, or a little more.

import { busy, copy, el, post, toast } from "./dom.js";

const WAYS = [
  ["exactly", "Pay exactly", 100n, "as the screen says: recognised by itself"],
  ["short", "10 % less", 90n, "a shortfall: needs its hash"],
  ["over", "10 % more", 110n, "too much: needs its hash"],
];

export class PayCard {
  /** `sent()`: after a transfer; `offer(text)`: put words into the message box. */
  constructor(chats, sent, offer) {
    this.chats = chats;
    this.sent = sent;
    this.offer = offer;
    this.paid = new Set(); // payment screens this page has paid
    this.drawn = "";
    this.node = el("div.pay", { "aria-live": "polite" });
  }

  draw(transfers = []) {
    this.transfers = transfers;
    const found = this.chats.open > 0 ? findPayment(this.chats.list(this.chats.open)) : null;
    const paid = found && (this.paid.has(keyOf(found)) || transfers.some((one) => one.asset === found.asset && same(one.amount, found.amount)));
    const text = JSON.stringify([this.chats.open, found, paid]);
    if (text === this.drawn) return;
    this.drawn = text;
    this.node.classList.toggle("ready", Boolean(found));
    if (!found) {
      this.node.replaceChildren(el("p.soft.small", {}, "When the bot asks for a payment, you pay it here with one click."));
      return;
    }
    const who = this.chats.title(this.chats.open);
    this.node.replaceChildren(
      el("p.small", {}, paid ? `Sent. The network makes it final in a few seconds, then the bot credits it.` : `${who} has to pay`),
      el("p.sum", {}, el("b", {}, found.amount), ` ${found.asset} on BSC`),
      el("div.ways", {}, ...WAYS.map(([name, words, percent, title]) => {
        const button = el(`button${name === "exactly" && !paid ? ".strong" : ""}`, { type: "button", title, "data-pay": name,
          onclick: () => busy(button, () => this.pay(found, name, percent)) }, name === "exactly" && paid ? "Pay again" : words);
        return button;
      })));
  }

  async pay(found, name, percent) {
    const amount = percent === 100n ? found.amount : part(found.amount, percent);
    const { hash } = await post("/sandbox/chains/bsc/transfers", { asset: found.asset, to: found.to, amount });
    this.paid.add(keyOf(found));
    if (name === "exactly") toast(`${amount} ${found.asset} sent.`);
    else {
      this.offer(hash);
      toast(`${amount} ${found.asset} sent. It is not the exact amount, so give the bot its hash: it is in the message box.`);
    }
    await this.sent();
    this.draw(this.transfers);
  }
}

/** A transfer's hash as a small button that copies it. */
export const hashButton = (hash, words) => el("button.hash.mono", { type: "button", title: `Copy ${hash}`,
  onclick: (event) => copy(hash, event.currentTarget) }, words);

export function findPayment(messages) {
  for (const message of messages.slice(-6).reverse()) {
    const copies = message.buttons.flat().map((button) => button.copy).filter(Boolean);
    const amount = copies.find((text) => /^\d+(\.\d+)?$/.test(text));
    const to = copies.find((text) => /^0x[0-9a-f]{40}$/i.test(text));
    if (amount && to) return { amount, to, asset: /\bBNB\b(?! SMART)/.test(message.text) && !/\bUSDT\b/.test(message.text) ? "BNB" : "USDT" };
  }
  return null;
}

const keyOf = (payment) => `${payment.to} ${payment.amount}`;

const same = (one, other) => one.replace(/\.?0+$/, "") === other.replace(/\.?0+$/, "");

/** A percentage of a decimal amount, in whole steps of its last digit. Money is never a float, not even here. */
export function part(amount, percent) {
  const [whole, fraction = ""] = amount.split(".");
  const digits = String((BigInt(whole + fraction) * percent) / 100n).padStart(fraction.length + 1, "0");
  return fraction ? `${digits.slice(0, -fraction.length)}.${digits.slice(-fraction.length)}` : digits;
}
