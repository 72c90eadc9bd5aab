// The chats: the list on the left, the conversation in the middle, kept live by the feed.

import { $, clockTime, colour, el, get, initials, onCopy, stored, toast } from "./dom.js";
import { bubble, press } from "./message.js";

const NEAR_END = 120;

export class Chats {
  constructor() {
    this.bot = { id: 0, first_name: "bot", commands: [] };
    this.people = new Map();
    this.groups = new Map();
    this.messages = new Map(); // chat id -> Map(message id -> message)
    this.unread = new Map();
    this.speakers = new Map(); // group id -> who speaks
    this.typing = new Map(); // chat id -> when it ends, in page time
    this.open = null;
    this.seq = 0;
    this.failing = false;
    this.listeners = [];
    $("#scroll").addEventListener("scroll", () => this.scrolled());
    $("#to-end").addEventListener("click", () => this.toEnd(true));
    $("#speaker").addEventListener("change", (event) => {
      this.speakers.set(this.open, Number(event.target.value));
      this.draw();
    });
    onCopy((text) => { this.lastCopied = text; });
  }

  onChange(listener) { this.listeners.push(listener); }

  me() {
    if (this.open === null || this.open > 0) return this.open;
    return this.speakers.get(this.open) ?? this.groups.get(this.open)?.members[0];
  }

  chat(id) { return id > 0 ? this.people.get(id) : this.groups.get(id); }
  title(id) { const chat = this.chat(id); return chat?.title ?? chat?.first_name ?? String(id); }
  list(id) { return [...(this.messages.get(id)?.values() ?? [])].sort((a, b) => a.message_id - b.message_id); }

  async follow() {
    for (;;) {
      try {
        const feed = await get(`/page/feed?after=${this.seq}&wait=${this.seq ? 20 : 0}`);
        if (this.failing) toast("The sandbox is back.");
        this.failing = false;
        this.take(feed);
      } catch (error) {
        if (!this.failing) toast(error.message, "bad");
        this.failing = true;
        await new Promise((resolve) => setTimeout(resolve, 1500));
      }
    }
  }

  take(feed) {
    const first = this.seq === 0;
    if (feed.seq < this.seq) { location.reload(); return; } // another sandbox took the place of the old one
    this.seq = feed.seq;
    this.bot = feed.bot;
    this.people = new Map(feed.people.map((one) => [one.id, one]));
    this.groups = new Map(feed.groups.map((one) => [one.id, one]));
    const here = [];
    for (const message of feed.messages) {
      const known = this.messages.get(message.chat_id) ?? new Map();
      this.messages.set(message.chat_id, known);
      const before = known.get(message.message_id);
      if (message.deleted) known.delete(message.message_id);
      else known.set(message.message_id, message);
      if (message.chat_id === this.open) here.push([message, before]);
      else if (!message.deleted && !before && !first && message.from === this.bot.id) {
        this.unread.set(message.chat_id, (this.unread.get(message.chat_id) ?? 0) + 1);
      }
    }
    for (const [chat, seconds] of Object.entries(feed.typing)) {
      this.typing.set(Number(chat), performance.now() + seconds * 1000);
      setTimeout(() => this.drawStatus(), seconds * 1000 + 50);
    }
    for (const message of feed.messages) if (message.from === this.bot.id) this.typing.delete(message.chat_id);
    if (this.open === null) this.show(this.firstChat());
    else this.update(here);
    this.drawList();
    this.drawStatus();
    for (const listener of this.listeners) listener();
  }

  firstChat() {
    const wanted = Number(new URLSearchParams(location.search).get("chat") ?? stored.get("chat"));
    return this.chat(wanted) ? wanted : [...this.people.keys()].pop();
  }

  show(id) {
    const old = this.open;
    this.open = id;
    stored.set("chat", String(id));
    this.unread.delete(id);
    this.draw();
    this.drawList();
    this.toEnd(false);
    this.switched?.(old, id);
  }

  // the list

  drawList() {
    const last = (id) => this.list(id).at(-1);
    const ids = [...this.people.keys(), ...this.groups.keys()];
    const weight = (id) => last(id)?.date ?? "";
    ids.sort((a, b) => (weight(a) < weight(b) ? 1 : weight(a) > weight(b) ? -1 : 0));
    const rows = ids.map((id) => {
      const message = last(id);
      const who = message && id < 0 ? `${this.name(message.from)}: ` : "";
      const said = message ? (message.note ? message.note : who + (message.text || "🖼 Picture")) : "No messages yet";
      const count = this.unread.get(id);
      const avatar = el("span.avatar", { "aria-hidden": "true" }, id < 0 ? "👥" : initials(this.title(id)));
      avatar.style.background = colour(id);
      return el(`button.row-chat${id === this.open ? ".current" : ""}`,
        { type: "button", "data-chat": id, "aria-current": id === this.open ? "true" : null, onclick: () => { this.show(id); document.body.dataset.tab = "chat"; } },
        avatar,
        el("span.grow", {},
          el("span.top", {}, el("b", {}, this.title(id)), el("span.soft.small", {}, message ? clockTime(message.date) : "")),
          el("span.under", {}, el("span.soft.cut", {}, said.replace(/\s+/g, " ").slice(0, 90)),
            count ? el("span.badge", { "aria-label": `${count} new` }, String(count)) : null)));
    });
    const held = document.activeElement?.dataset?.chat;
    $("#chat-list").replaceChildren(...rows);
    if (held) $(`#chat-list [data-chat="${held}"]`)?.focus();
  }

  name(id) { return id === this.bot.id ? this.bot.first_name : this.people.get(id)?.first_name ?? String(id); }

  // the conversation

  view() {
    const chat = { id: this.open };
    return { bot: this.bot, people: this.people, chat, me: this.me(),
      find: (id) => this.messages.get(this.open)?.get(id) };
  }

  deeds() {
    return {
      command: (words) => this.say?.(words),
      press: (message, button) => press(this.open, this.me(), message, button),
      deepLink: (url) => {
        const match = /^https?:\/\/t\.me\/([A-Za-z0-9_]+)\?start=([A-Za-z0-9_-]{1,64})$/.exec(url);
        if (!match || match[1].toLowerCase() !== this.bot.username?.toLowerCase()) return false;
        const me = this.me();
        if (this.open !== me) this.show(me); // out of a group, into the person's own chat with the bot
        this.say?.(`/start ${match[2]}`);
        return true;
      },
    };
  }

  draw() {
    const view = this.view();
    const deeds = this.deeds();
    const nodes = [];
    let day = "";
    for (const message of this.list(this.open)) {
      if (message.date.slice(0, 10) !== day) { day = message.date.slice(0, 10); nodes.push(dayLine(day)); }
      nodes.push(bubble(message, view, deeds));
    }
    if (!nodes.length) {
      nodes.push(el("div.empty", {},
        el("img", { src: "/page/icon.svg", alt: "", width: 72, height: 72 }),
        el("h2", {}, this.open > 0 ? `What can ${this.bot.first_name} do?` : this.title(this.open)),
        el("p.soft", {}, this.bot.texts?.description || "Buy engagement for your posts and watch it being delivered. Press START to begin.")));
    }
    $("#messages").replaceChildren(...nodes);
    this.drawHead();
  }

  update(changes) {
    if (!changes.length) { this.drawHead(); return; }
    const near = this.nearEnd();
    const box = $("#messages");
    const view = this.view();
    if ($(".empty", box)) { this.draw(); this.toEnd(false); return; }
    let news = 0;
    for (const [message, before] of changes) {
      const node = $(`[data-id="${message.message_id}"]`, box);
      if (message.deleted) {
        if (node) { node.classList.add("leaving"); setTimeout(() => node.remove(), 220); }
        continue;
      }
      const fresh = bubble(message, view, this.deeds());
      if (node) {
        const focused = node.contains(document.activeElement) ? document.activeElement.textContent : null;
        fresh.classList.add("flash");
        node.replaceWith(fresh);
        if (focused !== null) [...fresh.querySelectorAll("button")].find((one) => one.textContent === focused)?.focus();
      } else if (!before) {
        fresh.classList.add("arriving");
        const days = box.querySelectorAll(".day");
        const day = message.date.slice(0, 10);
        if (days[days.length - 1]?.dataset.day !== day) box.append(dayLine(day));
        box.append(fresh);
        news += 1;
      }
    }
    if (near || changes.some(([message]) => message.from === this.me())) this.toEnd(true);
    else if (news) $("#to-end").classList.add("news");
    this.drawHead();
  }

  drawHead() {
    const id = this.open;
    $("#chat-title").textContent = this.title(id);
    const avatar = $("#chat-avatar");
    avatar.textContent = id < 0 ? "👥" : initials(this.title(id));
    avatar.style.background = colour(id);
    const box = $("#speaker-box");
    box.hidden = id > 0;
    if (id < 0) {
      const select = $("#speaker");
      const members = this.groups.get(id)?.members ?? [];
      const signature = members.join();
      if (select.dataset.members !== signature) {
        select.dataset.members = signature;
        select.replaceChildren(...members.map((one) => el("option", { value: one }, this.name(one))));
      }
      select.value = String(this.me());
    }
    this.drawStatus();
    this.headDrawn?.();
  }

  drawStatus() {
    const id = this.open;
    if (id === null) return;
    const typing = (this.typing.get(id) ?? 0) > performance.now();
    const chat = this.chat(id);
    const handle = chat?.username ? `@${chat.username} · ` : "";
    const calm = id < 0 ? `${(chat?.members.length ?? 0) + 1} members, ${chat?.bot === "administrator" ? "the bot is an admin" : `the bot: ${chat?.bot}`}`
      : `${handle}id ${id}${chat?.blocked ? " · has blocked the bot" : ""}`;
    const line = $("#chat-status");
    line.textContent = typing ? `${this.bot.first_name} is typing …` : calm;
    line.classList.toggle("typing", typing);
  }

  // scrolling

  nearEnd() {
    const box = $("#scroll");
    return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
  }

  scrolled() {
    const near = this.nearEnd();
    $("#to-end").hidden = near;
    if (near) $("#to-end").classList.remove("news");
  }

  toEnd(smooth) {
    const box = $("#scroll");
    const go = (behavior) => box.scrollTo({ top: box.scrollHeight, behavior });
    requestAnimationFrame(() => { go(smooth ? "smooth" : "instant"); });
    for (const image of box.querySelectorAll("img")) {
      if (!image.complete) image.addEventListener("load", () => { if (this.nearEnd() || !smooth) go("instant"); }, { once: true });
    }
  }
}

function dayLine(day) {
  const words = new Date(`${day}T12:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "long", timeZone: "UTC" });
  return el("div.note.day", { "data-day": day }, el("span", {}, words));
}
