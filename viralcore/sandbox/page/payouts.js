// Payouts: what the bot sends to people's accounts waits here until somebody says what the bank did with it.

import { busy, clockTime, copy, el, post, toast } from "./dom.js";

const SHOWN = 6;
const SWITCHES = [
  ["whitelist", "It refuses our address"],
  ["unapproved", "It refuses the merchant"],
  ["approval", "New payouts wait for approval in its dashboard"],
];

export class Payouts {
  /** `sent()`: after a decision or a change. */
  constructor(sent) {
    this.sent = sent;
    this.drawn = ["", ""];
    this.said = new Map();  // the words chosen for each reference, so that drawing again keeps them
    this.list = el("div.payouts", { "aria-live": "polite" });
    this.faults = el("div.faults");
  }

  draw(bank) {
    if (!bank) return;
    const { transfers, messages, balance } = bank;
    this.fill(0, [transfers.slice(0, 50), balance], () => this.drawList(transfers, messages));
    this.fill(1, SWITCHES.map(([name]) => bank[name]).concat(balance), () => this.drawFaults(bank));
  }

  fill(place, source, drawing) {
    const text = JSON.stringify(source);
    if (this.drawn[place] === text) return;
    this.drawn[place] = text;
    drawing();
  }

  drawList(transfers, messages) {
    const open = transfers.filter((one) => !one.decided);
    const ended = transfers.filter((one) => one.decided).slice(0, Math.max(0, SHOWN - open.length));
    this.list.replaceChildren(
      ...open.map((one) => this.payout(one, messages)), ...ended.map((one) => this.payout(one, messages)),
      transfers.length ? "" : el("p.soft.small", {}, "When the bot pays somebody out, it waits here for your decision."));
  }

  payout(one, messages) {
    const [state, words] = one.status === "SUCCESSFUL" ? ["final", "paid"] : one.status === "FAILED" ? ["failed", "failed"]
      : ["pending", one.covered ? `since ${clockTime(one.at)}` : "not covered"];
    return el("div.order", { "data-payout": one.reference },
      el("div.row", {},
        el("button.hash.mono", { type: "button", title: `Copy ${one.reference}`,
          onclick: (event) => copy(one.reference, event.currentTarget) }, one.reference),
        el("span.grow.cut", {}, naira(one.amount)),
        el(`span.state.${state}`, {}, words)),
      el("div.soft.small", {}, `to ${one.name}, ${one.account_number}, ${one.bank_name}`),
      one.message ? el("div.soft.small", {}, one.message) : "",
      one.answered ? "" : el("div.soft.small", {}, "The bot never heard that it was accepted."),
      one.sent_again ? el("div.soft.small", {}, `sent again ${one.sent_again}×, and refused`) : "",
      one.decided ? "" : this.ways(one, messages));
  }

  ways(one, messages) {
    const chosen = this.said.get(one.reference) ?? messages[0];
    const why = el("select", { "aria-label": `Why ${one.reference} fails`, onchange: () => this.said.set(one.reference, why.value) },
      ...messages.map((words) => el("option", { value: words, selected: words === chosen }, words.replace("DISBURSE FAILED: ", ""))));
    const decide = (name, words, status, message) => {
      const button = el(`button${name === "pay" ? ".strong" : ""}`, { type: "button", "data-decide": name,
        onclick: () => busy(button, async () => {
          await post(`/sandbox/bank/transfers/${encodeURIComponent(one.reference)}`, message ? { status, message: message() } : { status });
          toast(`${naira(one.amount)} ${status === "SUCCESSFUL" ? "arrived" : "did not arrive"}.`);
          await this.sent();
        }) }, words);
      return button;
    };
    return el("div.ways.payout", {}, decide("pay", "It arrives", "SUCCESSFUL"), decide("fail", "It fails:", "FAILED", () => why.value), why);
  }

  drawFaults(bank) {
    const sum = el("input", { type: "text", inputmode: "decimal", value: bank.balance, "aria-label": "Balance for payouts in naira" });
    const set = el("button", { type: "button", onclick: () => busy(set, async () => {
      await post("/sandbox/bank", { balance: sum.value.trim() });
      toast("The balance is set.");
      await this.sent();
    }) }, "Set");
    this.faults.replaceChildren(
      el("div.row.balance", {}, el("span.grow", {}, "Balance, ₦"), sum, set),
      ...SWITCHES.map(([name, words]) => {
        const box = el("input", { type: "checkbox", checked: Boolean(bank[name]), "data-fault": name,
          onchange: () => busy(box, async () => { await post("/sandbox/bank", { [name]: box.checked }); await this.sent(); }) });
        return el("label.switch", {}, box, words);
      }));
  }
}

/** ₦24,500.00; the text is never a number. */
const naira = (amount) => `₦${amount.replace(/\B(?=(\d{3})+(?!\d)(?=.*\.))/g, ",")}`;
