// The right-hand panel: the clock, money on its way, the panels' orders, things to break, the bot itself.

import { $, brief, busy, clockTime, copy, el, get, onCopy, post, short, toast } from "./dom.js";

const EVERY = 1000;
const TURNS = [[60, "+1 min"], [600, "+10 min"], [1800, "+30 min"], [3600, "+1 h"], [86400, "+1 day"]];
const STATUSES = ["In progress", "Completed", "Partial", "Canceled"];
const OUTAGES = [["", "works"], ["503", "503"], ["hang", "hangs"], ["drop", "drops"], ["html", "web page"], ["bad_json", "bad JSON"]];

export class World {
  /** `chats`: to block the open chat's person and to find payments that wait on the screen. */
  constructor(chats) {
    this.chats = chats;
    this.data = null;
    this.drawn = new Map(); // section -> what it was drawn from, so that nothing typed or focused is lost
    this.build();
    onCopy((text) => this.copied(text));
    chats.onChange(() => this.drawSuggestion());
  }

  async follow() {
    for (;;) {
      try {
        this.data = await get("/page/world");
        this.draw();
      } catch { $("#bot-dot").className = "dot off"; }
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  async refresh() {
    try { this.data = await get("/page/world"); this.draw(); } catch { /* the loop will say so */ }
  }

  build() {
    this.clock = el("div.clock-face", {}, el("div.hands", {}, "--:--"), el("div.soft.small", {}, ""));
    this.pending = el("p.small.soft.pending", { "aria-live": "polite" });
    this.form = this.transferForm();
    this.transfers = el("div.list");
    this.panels = el("div");
    this.prices = el("div.prices");
    this.faults = el("div.faults");
    this.bot = el("div.bot");
    this.books = el("div.books", { "aria-live": "polite" });
    const compare = el("button.wide", { type: "button", onclick: () => busy(compare, () => this.compare()) }, "Compare all books");
    $("#world").append(
      section("Clock", true, this.clock,
        el("div.chips", {}, ...TURNS.map(([seconds, words]) => this.turnButton(seconds, words))), this.pending),
      section("Send coins", true, this.form, this.transfers),
      section("Panels", true, this.panels),
      section("Prices", false, this.prices),
      section("Break things", false, this.faults),
      section("The bot", true, this.bot, compare, this.books));
  }

  draw() {
    const { data } = this;
    const [hands, under] = this.clock.children;
    hands.textContent = `${clockTime(data.now)}:${data.now.slice(17, 19)}`;
    under.textContent = `${new Date(data.now).toUTCString().slice(0, 16)} UTC · ${ahead(data.ahead)}`;
    $("#bot-dot").className = `dot ${data.bot.pid ? "on" : "off"}`;
    this.fill("transfers", data.transfers ?? [], () => this.drawTransfers(data.transfers ?? []));
    this.fill("panels", data.panels ?? {}, () => this.drawPanels(data.panels ?? {}));
    this.fill("prices", [data.prices, data.price_sources], () => this.drawPrices(data.prices ?? {}, data.price_sources ?? {}));
    this.fill("faults", [data.chains, this.chats.open], () => this.drawFaults(data.chains ?? {}));
    this.fill("bot", [data.bot, data.telegram], () => this.drawBot(data.bot, data.telegram));
    const to = $("[name=to]", this.form);
    if (!to.value && data.addresses?.bsc) to.value = data.addresses.bsc;
  }

  /** Draw a section only when what it shows has changed. */
  fill(name, source, drawing) {
    const text = JSON.stringify(source);
    if (this.drawn.get(name) === text) return;
    this.drawn.set(name, text);
    drawing();
  }

  // the clock

  turnButton(seconds, words) {
    const button = el("button.chip", { type: "button", "data-turn": seconds, onclick: () => busy(button, async () => {
      this.pending.textContent = "turning the clock …";
      try {
        const turned = await post("/sandbox/clock", { advance_seconds: seconds });
        this.pending.textContent = turned.quiet ? "Everything that was due is done." : `Still to do: ${turned.pending.join(", ")}`;
      } catch (error) {
        this.pending.textContent = "";
        throw error;
      }
      await this.refresh();
    }) }, words);
    return button;
  }

  // coins

  transferForm() {
    const sender = el("button.strong.grow", { type: "submit" }, "Send");
    this.suggestion = el("button.suggestion", { type: "button", hidden: true });
    const form = el("form.transfer", { autocomplete: "off", onsubmit: (event) => {
      event.preventDefault();
      busy(sender, () => this.send(new FormData(form)));
    } },
      this.suggestion,
      el("div.row", {},
        el("label.grow", {}, "Amount", el("input.mono", { name: "amount", inputmode: "decimal", required: true, placeholder: "15.0034" })),
        el("label", {}, "Coin", el("select", { name: "asset" }, el("option", {}, "USDT"), el("option", {}, "BNB")))),
      el("label", {}, "To (BSC)", el("input.mono", { name: "to", required: true, placeholder: "0x…", spellcheck: "false" })),
      el("div.row", {},
        el("label.grow", {}, "Final", el("select", { name: "final" },
          el("option", { value: "" }, "usual delay"), el("option", { value: "true" }, "at once"), el("option", { value: "false" }, "when I say so"))),
        el("label.grow", {}, "Kind", el("select", { name: "kind" },
          el("option", { value: "" }, "a good transfer"), el("option", { value: "failed" }, "fails on chain"), el("option", { value: "fake" }, "worthless token")))),
      el("div.row", {}, sender));
    return form;
  }

  async send(form) {
    const body = { asset: form.get("asset"), to: form.get("to").trim(), amount: form.get("amount").trim() };
    if (form.get("final")) body.final = form.get("final") === "true";
    if (form.get("kind") === "failed") body.failed = true;
    if (form.get("kind") === "fake") body.contract = `0x${"deadbeef".repeat(5)}`;
    const { hash } = await post("/sandbox/chains/bsc/transfers", body);
    toast(`Sent: ${short(hash, 26)}`);
    await this.refresh();
  }

  copied(text) {
    const words = text.trim();
    if (/^\d+(\.\d+)?$/.test(words)) $("[name=amount]", this.form).value = words;
    else if (/^0x[0-9a-f]{40}$/i.test(words)) $("[name=to]", this.form).value = words;
  }

  /** A payment that waits on the open chat's newest screen with both copy buttons. */
  drawSuggestion() {
    const found = this.chats.open > 0 ? findPayment(this.chats.list(this.chats.open)) : null;
    this.suggestion.hidden = !found;
    if (!found) return;
    this.suggestion.replaceChildren(el("span", {}, "Pay this: "), el("b", {}, `${found.amount} ${found.asset}`));
    this.suggestion.onclick = () => {
      for (const name of ["amount", "to", "asset"]) $(`[name=${name}]`, this.form).value = found[name];
      $("button[type=submit]", this.form).focus();
    };
  }

  drawTransfers(transfers) {
    this.transfers.replaceChildren(...transfers.slice(0, 12).map((one) => el("div.item", {},
      el("button.hash.mono", { type: "button", title: `Copy ${one.hash}`, onclick: (event) => copy(one.hash, event.currentTarget) }, brief(one.hash)),
      el("span.grow.cut", {}, `${one.amount} ${one.asset}`),
      one.held ? this.releaseButton(one.hash) : null,
      el(`span.state.${one.state}`, {}, one.state))));
  }

  releaseButton(hash) {
    const button = el("button.mini", { type: "button", onclick: () => busy(button, async () => {
      await post(`/sandbox/chains/bsc/transfers/${hash}`, { final: true });
      await this.refresh();
    }) }, "make final");
    return button;
  }

  // panels

  drawPanels(panels) {
    this.panels.replaceChildren(...Object.entries(panels).map(([name, panel]) => el("div.panel", {},
      el("div.row.head", {}, el("b.grow", {}, name), el("span.soft.small", {}, `$${Number(panel.balance).toFixed(2)}`),
        this.chooser(`What ${name} does`, OUTAGES, panel.outage, (value) => post(`/sandbox/panels/${name}`, { outage: value || false }))),
      ...(panel.orders.length ? panel.orders.slice(0, 8).map((order) => this.order(name, order)) : [el("p.soft.small", {}, "No orders yet.")]))));
  }

  order(panel, order) {
    return el("div.order", {},
      el("div.row", {},
        el("b", {}, `#${order.order}`),
        el("span.grow.cut", { title: order.link }, `${Number(order.quantity).toLocaleString("en")} × service ${order.service}`),
        el(`span.state.${String(order.status).toLowerCase().replace(/\s+/g, "-")}`, {}, order.status)),
      el("div.chips", {}, ...STATUSES.map((status) => {
        const button = el(`button.mini${status === order.status ? ".on" : ""}`, { type: "button", onclick: () => busy(button, async () => {
          await post(`/sandbox/panels/${panel}/orders/${order.order}`, { status });
          await this.refresh();
        }) }, status);
        return button;
      })));
  }

  chooser(label, options, value, change) {
    const select = el("select.small", { "aria-label": label, onchange: () => busy(select, async () => {
      await change(select.value);
      await this.refresh();
    }) }, ...options.map(([key, words]) => el("option", { value: key, selected: key === (value || "") }, words)));
    if (value) select.classList.add("broken");
    return select;
  }

  // prices, faults, the bot

  drawPrices(prices, sources) {
    const cell = (coin) => {
      const input = el("input.mono", { value: prices[coin] ?? "", inputmode: "decimal", "aria-label": `Price of ${coin}`,
        onchange: () => busy(input, async () => { await post("/sandbox/prices", { [coin]: input.value.trim() }); await this.refresh(); }) });
      return el("label", {}, coin.toUpperCase(), input);
    };
    const broken = Object.values(sources).some((source) => source.outage);
    this.prices.replaceChildren(
      el("div.grid", {}, ...Object.keys(prices).map(cell)),
      el("div.row", {}, el("span.grow.soft.small", {}, "All price sources"),
        this.chooser("Price sources", OUTAGES, broken ? Object.values(sources).find((source) => source.outage).outage : "",
          (value) => post("/sandbox/prices", { outage: value || false }))));
  }

  drawFaults(chains) {
    const rows = Object.entries(chains).map(([name, chain]) => el("div.row", {},
      el("span.grow", {}, `${name.toUpperCase()} node`, el("span.soft.small", {}, ` block ${chain.height}, final ${chain.final_height}`)),
      this.chooser(`${name} node`, OUTAGES, chain.outage, (value) => post(`/sandbox/chains/${name}`, { outage: value || false }))));
    const person = this.chats.open > 0 ? this.chats.people.get(this.chats.open) : null;
    if (person) {
      const button = el("button", { type: "button", onclick: () => busy(button, () =>
        post("/sandbox/telegram", person.blocked ? { unblock_user: person.id } : { block_user: person.id })
          .then(() => this.drawn.delete("faults"))) },
      person.blocked ? `${person.first_name} unblocks the bot` : `${person.first_name} blocks the bot`);
      rows.push(button);
    }
    for (const [words, body] of [["Telegram floods the next 3 messages", { flood_next: 3 }], ["Telegram fails the next 3 messages", { fail_next: 3 }]]) {
      const button = el("button", { type: "button", onclick: () => busy(button, async () => { await post("/sandbox/telegram", body); toast("Done."); }) }, words);
      rows.push(button);
    }
    this.faults.replaceChildren(...rows);
  }

  drawBot(bot, telegram) {
    const kill = el("button.danger.grow", { type: "button", onclick: () => busy(kill, async () => {
      const before = this.data.bot.pid;
      const { pid } = await post("/sandbox/bot", { kill: true });
      toast(`Killed ${before}. The bot lives again as ${pid}.`);
      await this.refresh();
    }) }, "Kill the bot (kill -9)");
    this.bot.replaceChildren(
      el("p.small", {}, bot.pid ? `Process ${bot.pid}` : "Down, being started …",
        el("span.soft", {}, ` · started ${bot.starts}× · ${telegram.unconfirmed} updates waiting · ${telegram.refused} messages refused as flood`)),
      el("div.row", {}, kill));
  }

  async compare() {
    this.books.replaceChildren(el("p.soft.small", {}, "Reading every book …"));
    try {
      const { balanced, problems } = await get("/sandbox/check");
      this.books.replaceChildren(balanced
        ? el("p.good", {}, "✓ The ledger, the chain and the panels agree.")
        : el("ul.bad", {}, ...problems.map((one) => el("li", {}, one))));
    } catch (error) {
      this.books.replaceChildren();
      throw error;
    }
  }
}

function section(title, open, ...children) {
  return el("details.section", { open }, el("summary", {}, title), el("div.inside", {}, ...children));
}

export function findPayment(messages) {
  for (const message of messages.slice(-6).reverse()) {
    const copies = message.buttons.flat().map((button) => button.copy).filter(Boolean);
    const amount = copies.find((text) => /^\d+(\.\d+)?$/.test(text));
    const to = copies.find((text) => /^0x[0-9a-f]{40}$/i.test(text));
    if (amount && to) return { amount, to, asset: /\bBNB\b/.test(message.text) && !/\bUSDT\b/.test(message.text) ? "BNB" : "USDT" };
  }
  return null;
}

function ahead(seconds) {
  if (seconds < 1) return "as on the wall";
  const parts = [[86400, "d"], [3600, "h"], [60, "min"]].map(([size, word]) => {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    return count ? `${count} ${word}` : "";
  }).filter(Boolean);
  return `turned ${parts.join(" ") || `${Math.round(seconds)} s`} ahead`;
}
