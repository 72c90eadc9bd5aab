// One message as a bubble: text built from entities, pictures, the inline keyboard.

import { $, alertBox, busy, clockTime, colour, copy, el, post, toast } from "./dom.js";

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote", spoiler: "span",
};

/** Text with entities as nodes. Offsets are UTF-16 units, which is how JavaScript counts as well. */
export function rich(text, entities, deeds) {
  const ordered = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const write = (start, end, inside) => {
    const nodes = [];
    let at = start;
    for (let index = 0; index < inside.length; ) {
      const entity = inside[index++];
      if (entity.offset < at) continue;
      const stop = Math.min(entity.offset + entity.length, end);
      const nested = [];
      while (index < inside.length && inside[index].offset < stop) nested.push(inside[index++]);
      if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
      nodes.push(wrap(entity, write(entity.offset, stop, nested), text.slice(entity.offset, stop), deeds));
      at = stop;
    }
    if (at < end) nodes.push(text.slice(at, end));
    return nodes;
  };
  return write(0, text.length, ordered);
}

function wrap(entity, children, words, deeds) {
  switch (entity.type) {
    case "text_link": return link(entity.url, children, deeds);
    case "url": return link(words.includes("://") ? words : `https://${words}`, children, deeds);
    case "bot_command":
      return el("button.command", { type: "button", onclick: () => deeds.command(words) }, ...children);
    case "code":
      return el("code", { title: "Click to copy", tabindex: "0", role: "button", onclick: () => copy(words),
        onkeydown: (event) => { if (event.key === "Enter") copy(words); } }, ...children);
    case "spoiler": {
      const node = el("span.spoiler", { tabindex: "0", onclick: () => node.classList.add("open") }, ...children);
      return node;
    }
    default: return TAGS[entity.type] ? el(TAGS[entity.type], {}, ...children) : el("span", {}, ...children);
  }
}

function link(url, children, deeds) {
  if (!/^(https?|tg|mailto):/i.test(url)) return el("span", {}, ...children);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer",
    onclick: (event) => { if (deeds.deepLink(url)) event.preventDefault(); } }, ...children);
}

/** The bubble of a message. `view`: {bot, people, chat, me} as the chat shows it; `deeds`: what clicks do. */
export function bubble(message, view, deeds) {
  if (message.note) {
    return el("div.note", { "data-id": message.message_id }, el("span", {}, message.note));
  }
  const mine = message.from === view.me;
  const fromBot = message.from === view.bot.id;
  const body = el("div.bubble", { tabindex: "-1" });
  if (view.chat.id < 0 && !mine) {
    const name = fromBot ? view.bot.first_name : view.people.get(message.from)?.first_name ?? String(message.from);
    const title = el("div.name", {}, name);
    title.style.color = colour(message.from);
    body.append(title);
  }
  if (message.topic) body.append(el("div.topic", {}, message.topic));
  if (message.reply_to) {
    const replied = view.find(message.reply_to);
    body.append(el("div.replied", {}, (replied?.text || "Picture").slice(0, 80)));
  }
  if (message.photo) body.append(picture(message));
  if (message.document) {
    body.append(el("a.document", { href: message.document.url, download: message.document.name }, `📄 ${message.document.name}`));
  }
  const time = el("span.time", {}, message.edited ? "edited " : "", clockTime(message.date));
  if (message.text) {
    body.append(el("div.text", { dir: "auto" }, ...rich(message.text, message.entities, deeds), time));
  } else {
    time.classList.add("over");
    body.append(time);
  }
  const row = el(`div.message${mine ? ".mine" : ""}${message.photo ? ".with-photo" : ""}`,
    { "data-id": message.message_id, "data-seq": message.seq }, body);
  if (message.buttons.length) row.append(keyboard(message, deeds));
  return row;
}

function picture(message) {
  const [width, height] = message.size ?? [300, 200];
  const image = el("img.photo", { src: message.photo, alt: "Picture", width, height, loading: "eager" });
  const open = () => {
    const viewer = $("#viewer");
    $("img", viewer).src = message.photo;
    viewer.showModal();
  };
  return el(`button.picture${width <= height * 1.2 ? ".square" : ""}`, { type: "button", "aria-label": "Open the picture", onclick: open }, image);
}

function keyboard(message, deeds) {
  return el("div.keyboard", {}, ...message.buttons.map((row) =>
    el("div.keys", {}, ...row.map((button) => key(message, button, deeds)))));
}

function key(message, button, deeds) {
  if (button.url) {
    return el("a.key.url", { href: button.url, target: "_blank", rel: "noopener noreferrer",
      onclick: (event) => { if (deeds.deepLink(button.url)) event.preventDefault(); } }, button.text);
  }
  if (button.copy !== null && button.copy !== undefined) {
    const node = el("button.key.copy", { type: "button", title: button.copy, onclick: () => copy(button.copy, node) },
      el("span", {}, button.text));
    return node;
  }
  const node = el("button.key", { type: "button", "data-data": button.data ?? "",
    onclick: () => busy(node, () => deeds.press(message, button)) }, el("span", {}, button.text));
  return node;
}

/** Press a button for a person and show what the bot answers. */
export async function press(chatId, personId, message, button) {
  const { answer } = await post(`/sandbox/chats/${chatId}/press`, {
    from_id: personId, message_id: message.message_id, button: button.data ?? button.text,
  });
  if (answer === null) toast("The bot has not answered yet.", "dim");
  else if (answer.text && answer.alert) alertBox(answer.text);
  else if (answer.text) toast(answer.text);
}
