// The right-hand panel: the clock, money on its way, the panels' orders, things to break, the bot itself.

import { Bank } from "./bank.js";
import { $, brief, busy, clockTime, el, get, onCopy, post, short, toast } from "./dom.js";
import { Guide } from "./guide.js";
import { FAKES, NAMES, nameOf, networkOf } from "./networks.js";
import { hashButton, PayCard } from "./pay.js";
import { Payouts } from "./payouts.js";

const EVERY = 1000, WHILE_TURNING = 200;
const SHOWN = 4;
const TURNS = [[60, "+1 min"], [600, "+10 min"], [1800, "+30 min"], [3600, "+1 h"], [86400, "+1 day"]];
const STATUSES = ["In progress", "Completed", "Partial", "Canceled"];
const OUTAGES = [["", "works"], ["503", "503"], ["hang", "hangs"], ["drop", "drops"], ["html", "web page"], ["bad_json", "bad JSON"]];

export class World {
  /** `chats`: to block the open chat's person and to find payments that wait; `offer(text)` fills the message box. */
  constructor(chats, offer) {
    this.chats = chats;
    this.data = null;
    this.turn = null; // {from, seconds} while this page turns the clock
    this.pay = new PayCard(chats, () => this.refresh(), offer);
    this.payouts = new Payouts(() => this.refresh());
    this.bank = new Bank(chats, () => this.refresh(), (...told) => this.chooser(...told));
    this.guide = new Guide(chats, offer);
    this.drawn = new Map(); // section -> what it was drawn from, so that nothing typed or focused is lost
    this.build();
    onCopy((text) => this.copied(text));
    chats.onChange(() => this.watch());
  }

  async follow() {
    for (;;) {
      try {
        this.data = await get("/page/world");
        this.draw();
      } catch { $("#bot-dot").className = "dot off"; }
      await new Promise((resolve) => setTimeout(resolve, this.turn ? WHILE_TURNING : EVERY));
    }
  }

  /** What depends on the open chat. */
  watch() {
    this.pay.draw(this.data?.transfers);
    this.bank.draw(this.data?.bank);
    this.payouts.draw(this.data?.bank);
    this.guide.draw(this.data);
  }

  async refresh() {
    try { this.data = await get("/page/world"); this.draw(); } catch { /* the loop will say so */ }
  }

  build() {
    this.clock = el("div.clock-face", {}, el("div.hands", {}, "--:--"), el("div.soft.small", {}, ""));
    this.progress = el("div.progress", { role: "progressbar", "aria-label": "Turning the clock", hidden: true }, el("div"));
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
      section("Clock", true, this.clock, this.progress,
        el("div.chips", {}, ...TURNS.map(([seconds, words]) => this.turnButton(seconds, words))), this.pending),
      section("Pay", true, this.bank.card, this.pay.node,
        el("details.more", {}, el("summary.small", {}, "Send something else"), this.form), this.transfers),
      section("Bank", false, this.bank.accounts, this.bank.faults),
      section("Payouts", false, this.payouts.list, this.payouts.faults),
      section("Panels", true, this.panels),
      section("Prices", false, this.prices),
      section("Break things", false, this.faults),
      section("The bot", true, this.bot, compare, this.books));
  }

  draw() {
    const { data } = this;
    const [hands, under] = this.clock.children;
    hands.textContent = `${clockTime(data.now)}:${data.now.slice(17, 19)}`;
    under.textContent = `${new Date(data.now).toUTCString().slice(0, 16)} UTC ${ahead(data.ahead)}`;
    $("#bot-dot").className = `dot ${data.bot.pid ? "on" : "off"}`;
    this.fill("transfers", data.transfers ?? [], () => this.drawTransfers(data.transfers ?? []));
    this.fill("panels", data.panels ?? {}, () => this.drawPanels(data.panels ?? {}));
    this.fill("prices", [data.prices, data.price_sources], () => this.drawPrices(data.prices ?? {}, data.price_sources ?? {}));
    this.fill("faults", [data.chains, this.chats.open], () => this.drawFaults(data.chains ?? {}));
    this.fill("bot", [data.bot, data.telegram], () => this.drawBot(data.bot, data.telegram));
    this.drawTurning(data);
    this.drawCaption(data.caption);
    this.watch();
    if (!$("[name=to]", this.form).value) this.chooseNetwork($("[name=network]", this.form).value);
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
      this.pending.textContent = "Turning the clock, and doing what falls due …";
      this.turn = { from: this.data.ahead, seconds };
      this.refresh();
      try {
        const turned = await post("/sandbox/clock", { advance_seconds: seconds });
        this.pending.textContent = turned.quiet ? "Everything that was due is done." : `Still to do: ${turned.pending.join(", ")}`;
      } catch (error) {
        this.pending.textContent = "";
        throw error;
      } finally {
        this.turn = null;
      }
      await this.refresh();
    }) }, words);
    return button;
  }

  drawTurning(data) {
    const bar = this.progress;
    bar.hidden = !data.turning && !this.turn;
    const done = this.turn ? Math.min(1, Math.max(0.02, (data.ahead - this.turn.from) / this.turn.seconds)) : 1;
    bar.firstChild.style.width = `${done * 100}%`;
    bar.classList.toggle("endless", !this.turn);
  }

  /** What the demo says at the moment. */
  drawCaption(words) {
    const box = $("#caption");
    box.hidden = !words;
    if (box.textContent !== (words ?? "")) box.textContent = words ?? "";
  }

  // coins

  transferForm() {
    const sender = el("button.strong.grow", { type: "submit" }, "Send");
    const form = el("form.transfer", { autocomplete: "off", onsubmit: (event) => {
      event.preventDefault();
      busy(sender, () => this.send(new FormData(form)));
    } },
      el("div.row", {},
        el("label.grow", {}, "Amount", el("input.mono", { name: "amount", inputmode: "decimal", required: true, placeholder: "15.0034" })),
        el("label", {}, "Network", el("select", { name: "network", onchange: (event) => this.chooseNetwork(event.target.value) },
          ...Object.entries(NAMES).map(([network, name]) => el("option", { value: network }, name)))),
        el("label", {}, "Coin", el("select", { name: "asset" }, el("option", {}, "USDT"), el("option", {}, "BNB")))),
      el("label", {}, "To", el("input.mono", { name: "to", required: true, spellcheck: "false" })),
      el("div.row", {},
        el("label.grow", {}, "Final", el("select", { name: "final" },
          el("option", { value: "" }, "usual delay"), el("option", { value: "true" }, "at once"), el("option", { value: "false" }, "when I say so"))),
        el("label.grow", {}, "Kind", el("select", { name: "kind" },
          el("option", { value: "" }, "a good transfer"), el("option", { value: "failed" }, "fails on chain"), el("option", { value: "fake" }, "worthless token")))),
      el("div.row", {}, sender));
    return form;
  }

  /** The coins of a network, and our address on it unless somebody typed another one of that network. */
  chooseNetwork(network) {
    const [to, asset] = ["to", "asset"].map((name) => $(`[name=${name}]`, this.form));
    $("[name=network]", this.form).value = network;
    const coins = this.data?.chains?.[network]?.assets ?? ["USDT"];
    const chosen = coins.includes(asset.value) ? asset.value : coins[0];
    asset.replaceChildren(...coins.map((coin) => el("option", { selected: coin === chosen }, coin)));
    if (networkOf(to.value) !== network) to.value = this.data?.addresses?.[network] ?? "";
  }

  async send(form) {
    const network = form.get("network");
    const body = { asset: form.get("asset"), to: form.get("to").trim(), amount: form.get("amount").trim() };
    if (form.get("final")) body.final = form.get("final") === "true";
    if (form.get("kind") === "failed") body.failed = true;
    if (form.get("kind") === "fake") body.contract = FAKES[network];
    const { hash } = await post(`/sandbox/chains/${network}/transfers`, body);
    toast(`Sent: ${short(hash, 26)}`);
    await this.refresh();
  }

  copied(text) {
    const words = text.trim();
    if (/^\d+(\.\d+)?$/.test(words)) $("[name=amount]", this.form).value = words;
    else if (networkOf(words)) {
      $("[name=to]", this.form).value = words;
      this.chooseNetwork(networkOf(words));
    }
  }

  drawTransfers(transfers) {
    this.transfers.replaceChildren(...transfers.slice(0, 12).map((one) => el("div.item", {},
      hashButton(one.hash, brief(one.hash)),
      el("span.grow.cut", {}, `${one.amount} ${one.asset}`, el("span.soft", {}, ` ${nameOf(one.network)}`)),
      one.held ? this.releaseButton(one) : null,
      el(`span.state.${one.state}`, {}, one.state))));
  }

  releaseButton({ network, hash }) {
    const button = el("button.mini", { type: "button", onclick: () => busy(button, async () => {
      await post(`/sandbox/chains/${network}/transfers/${hash}`, { final: true });
      await this.refresh();
    }) }, "make final");
    return button;
  }

  // panels

  drawPanels(panels) {
    this.panels.replaceChildren(...Object.entries(panels).map(([name, panel]) => el("div.panel", {},
      el("div.row.head", {}, el("b.grow", {}, name), el("span.soft.small", {}, `$${Number(panel.balance).toFixed(2)}`),
        this.chooser(`What ${name} does`, OUTAGES, panel.outage, (value) => post(`/sandbox/panels/${name}`, { outage: value || false }))),
      ...(panel.orders.length ? panel.orders.slice(0, SHOWN).map((order) => this.order(name, order)) : [el("p.soft.small", {}, "No orders yet.")]),
      panel.orders.length > SHOWN ? el("p.soft.small", {}, `and ${panel.orders.length - SHOWN} earlier`) : null)));
  }

  order(panel, order) {
    return el("div.order", {},
      el("div.row", {},
        el("b", {}, `#${order.order}`),
        el("span.grow.cut", { title: order.link }, `${Number(order.quantity).toLocaleString("en")} × service ${order.service}`),
        el(`span.state.${String(order.status).toLowerCase().replace(/\s+/g, "-")}`, {}, order.status)),
      el("div.chips.four", {}, ...STATUSES.map((status) => {
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
      el("span.grow.cut", { title: `block ${chain.height}, final ${chain.final_height}` }, `${nameOf(name)} nodes`,
        el("span.soft.small", {}, ` final ${chain.final_height}`)),
      this.chooser(`${name} node`, OUTAGES, chain.outage, (value) => post(`/sandbox/chains/${name}`, { outage: value || false }))));
    const person = this.chats.open > 0 ? this.chats.people.get(this.chats.open) : null;
    if (person) {
      const button = el("button", { type: "button", onclick: () => busy(button, () =>
        post("/sandbox/telegram", person.blocked ? { unblock_user: person.id } : { block_user: person.id })
          .then(() => this.drawn.delete("faults"))) },
      person.blocked ? `${person.first_name} unblocks the bot` : `${person.first_name} blocks the bot`);
      rows.push(button);
    }
    const group = this.chats.open < 0 ? this.chats.groups.get(this.chats.open) : null;
    if (group?.type === "supergroup") {
      const button = el("button", { type: "button", onclick: () => busy(button, () =>
        post("/sandbox/telegram", { forum: { id: group.id, on: !group.is_forum } }).then(() => this.drawn.delete("faults"))) },
      group.is_forum ? `${group.title}: no topics any longer` : `${group.title}: turn topics on`);
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
        ? el("p.good", {}, "✓ The ledger, the chain, the bank and the panels agree.")
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

function ahead(seconds) {
  if (seconds < 1) return "";
  const parts = [[86400, "d"], [3600, "h"], [60, "min"]].map(([size, word]) => {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    return count ? `${count} ${word}` : "";
  }).filter(Boolean);
  return ` · ${parts.join(" ") || `${Math.round(seconds)} s`} ahead`;
}
