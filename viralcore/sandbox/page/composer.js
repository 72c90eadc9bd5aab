// The typing box: text, picture, command hints, and the big START button of a chat nobody began.

import { $, busy, el, post, toast } from "./dom.js";

const USUAL = [
  { command: "start", description: "Begin" },
  { command: "menu", description: "The main menu" },
  { command: "buy", description: "Buy a plan: /buy t3 10" },
  { command: "submitlink", description: "Boost a post: /submitlink URL" },
  { command: "orders", description: "Your orders" },
  { command: "balance", description: "Your balance" },
  { command: "history", description: "What happened to your money" },
  { command: "help", description: "Help" },
  { command: "cancel", description: "End the open question" },
];

export class Composer {
  /** `where()` gives {chatId, me, commands, startable, blocked}. */
  constructor(where) {
    this.where = where;
    this.text = $("#text");
    this.hints = $("#hints");
    this.attached = $("#attached");
    this.photo = null;
    this.choice = -1;
    this.drafts = new Map();
    $("#composer").addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.text.addEventListener("input", () => this.changed());
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("blur", () => setTimeout(() => this.hide(), 150));
    this.text.addEventListener("paste", (event) => this.pasted(event));
    $("#commands").addEventListener("click", () => this.toggleHints());
    $("#attach").addEventListener("click", () => $("#file").click());
    $("#file").addEventListener("change", (event) => this.take(event.target.files[0]));
    $("button", this.attached).addEventListener("click", () => this.take(null));
    $("#start").addEventListener("click", () => this.say("/start"));
  }

  /** Another chat: keep what was typed in the old one. */
  switchTo(oldId, newId) {
    if (oldId !== null) this.drafts.set(oldId, this.text.value);
    this.text.value = this.drafts.get(newId) ?? "";
    this.take(null);
    this.refresh();
    this.changed();
    this.hide();
  }

  refresh() {
    const { startable, blocked } = this.where();
    $("#start").hidden = !startable;
    $("#line").hidden = startable;
    this.text.disabled = blocked;
    this.text.placeholder = blocked ? "This person has blocked the bot" : "Message";
  }

  changed() {
    this.text.style.height = "auto";
    if (this.text.scrollHeight) this.text.style.height = `${Math.min(this.text.scrollHeight, 160)}px`;
    const match = /^\/([a-z0-9_]*)$/i.exec(this.text.value);
    if (match) this.show(match[1].toLowerCase());
    else this.hide();
  }

  commands() {
    const told = this.where().commands;
    return told?.length ? told : USUAL;
  }

  show(beginning) {
    const fitting = this.commands().filter((one) => one.command.startsWith(beginning));
    this.choice = -1;
    this.hints.replaceChildren(...fitting.map((one, index) => el("button.hint",
      { type: "button", role: "option", id: `hint-${index}`, onclick: () => this.pick(one.command) },
      el("b", {}, `/${one.command}`), el("span.soft", {}, one.description))));
    this.hints.hidden = fitting.length === 0;
  }

  hide() { this.hints.hidden = true; this.choice = -1; }

  toggleHints() {
    if (!this.hints.hidden) return this.hide();
    this.show("");
    return this.text.focus();
  }

  pick(command) {
    this.hide();
    if (/^(buy|submitlink|user|report|withdraw_to)$/.test(command)) {
      this.text.value = `/${command} `;
      this.changed();
      this.text.focus();
    } else this.say(`/${command}`);
  }

  key(event) {
    const options = [...this.hints.children];
    if (!this.hints.hidden && options.length) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        this.choice = (this.choice + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
        options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.choice)));
        options[this.choice].scrollIntoView({ block: "nearest" });
        return;
      }
      if (event.key === "Escape") { this.hide(); return; }
      if ((event.key === "Tab" || event.key === "Enter") && this.choice >= 0) {
        event.preventDefault();
        options[this.choice].click();
        return;
      }
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.send();
    }
  }

  pasted(event) {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) { event.preventDefault(); this.take(file); }
  }

  take(file) {
    this.photo = file ?? null;
    this.attached.hidden = !file;
    const image = $("img", this.attached);
    if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
    if (file) {
      image.src = URL.createObjectURL(file);
      $("span", this.attached).textContent = file.name;
      this.text.focus();
    } else {
      image.removeAttribute("src");
      $("#file").value = "";
    }
  }

  async send() {
    const text = this.text.value.trim();
    if (!text && !this.photo) return;
    const photo = this.photo;
    await busy($("#send"), async () => {
      const body = photo ? { photo_base64: await base64(photo) } : {};
      await this.post(text ? { ...body, text } : body);
      this.text.value = "";
      this.take(null);
      this.changed();
    });
    this.text.focus();
  }

  /** Put words into the box for the person to send. */
  offer(text) {
    this.text.value = text;
    this.changed();
    this.text.focus();
  }

  async say(text) {
    try { await this.post({ text }); } catch (error) { toast(error.message, "bad"); }
  }

  post(body) {
    const { chatId, me } = this.where();
    return post(`/sandbox/chats/${chatId}/messages`, { from_id: me, ...body });
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error("The picture could not be read."));
    reader.readAsDataURL(file);
  });
}
