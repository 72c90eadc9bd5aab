// The next step for somebody who sees this for the first time, in one sentence. It only watches, and can be closed.

import { findCharge } from "./bank.js";
import { $, el, stored } from "./dom.js";
import { findPayment } from "./pay.js";

const LINK = "https://x.com/viralcore/status/1790000000000000001";

const NARROW = matchMedia("(max-width: 900px)");

export class Guide {
  /** `offer(text)`: put words into the message box. */
  constructor(chats, offer) {
    this.chats = chats;
    this.offer = offer;
    this.reached = new Map(); // person -> the furthest step seen, since screens are edited away
    this.drawn = "";
    this.node = el("div.guide", { "aria-live": "polite" });
    this.place();
    NARROW.addEventListener("change", () => { this.drawn = ""; this.place(); });
  }

  /** Beside the clock; on a phone, where one side is seen at a time, above the conversation. */
  place() {
    if (NARROW.matches) $("#scroll").before(this.node);
    else $("#world").prepend(this.node);
  }

  steps() {
    return [
      ["Press START below and agree to the terms."],
      ["Buy something: Service Menu, Twitter/X, Engagement, X Tier 3, 10."],
      ["Choose how to pay: Crypto, USDT, BSC."],
      [NARROW.matches ? "Pay it: open 🌍 and press “Pay exactly”. No real money is moved."
        : "Pay it: press “Pay exactly” below. No real money is moved."],
      ["Paid. Now boost a post: paste its link, then confirm.", "Use a sample link", () => this.offer(LINK)],
      [`Ordered. Half is sent after 30 minutes, half after 60: turn the clock${NARROW.matches ? " (in 🌍)" : ""} by +30 min, twice.`],
      ["Sent. The panels take about 15 minutes to deliver: turn the clock once more."],
      ["Delivered. Now try to break it: stop a panel, kill the bot, pay too little, write nonsense."],
    ];
  }

  draw(data) {
    const id = this.chats.open;
    const hidden = !data || Boolean(data.caption) || id === null || id < 0 || stored.get("guide") === "off";
    this.node.hidden = hidden;
    if (hidden) return;
    const step = Math.max(this.reached.get(id) ?? 0, stepOf(this.chats, id, data));
    this.reached.set(id, step);
    const text = `${id} ${step}`;
    if (text === this.drawn) return;
    this.drawn = text;
    const steps = this.steps();
    const [words, label, deed] = steps[step];
    this.node.replaceChildren(
      el("div.row", {}, el("b.grow", {}, step === steps.length - 1 ? "All done" : `Step ${step + 1} of ${steps.length - 1}`),
        el("button.shut", { type: "button", "aria-label": "Close the guide", title: "Close the guide",
          onclick: () => { stored.set("guide", "off"); this.node.hidden = true; } }, "✕")),
      el("p", {}, words),
      label ? el("button", { type: "button", onclick: deed }, label) : "");
  }
}

function stepOf(chats, id, data) {
  const said = chats.list(id).filter((message) => message.from === chats.bot.id);
  const has = (pattern) => said.some((message) => pattern.test(message.text));
  const placed = Object.values(data.panels ?? {}).reduce((sum, panel) => sum + panel.orders.length, 0);
  if (has(/Order #\d+ (is complete|has ended|could not be delivered)/)) return 7;
  if (has(/\border #\d+/i)) return placed > 2 ? 6 : 5;
  if (has(/is paid\b|Paid\. Thank you/)) return 4;
  if (findPayment(chats.list(id)) || findCharge(chats.list(id), data.bank)) return 3;
  if (has(/Invoice #\d+/)) return 2;
  return said.some((message) => message.buttons.flat().length > 1) ? 1 : 0;
}
