// Small tools of the page: making elements, speaking to the control API, toasts, copying.

export const $ = (selector, root = document) => root.querySelector(selector);

/** el("button.strong", {type: "button"}, "Send", child): an element; text is always text, never markup. */
export function el(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export class Refused extends Error {}

/** Speak to the control API. Throws Refused with the words of the answer. */
export async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused("The sandbox does not answer. Is it still running?");
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(value.error || `The sandbox said ${answer.status}.`);
  return value;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);

export function toast(text, kind = "") {
  const node = el(`div.toast${kind ? "." + kind : ""}`, { role: "status" }, text);
  $("#toasts").append(node);
  setTimeout(() => node.classList.add("gone"), kind === "bad" ? 6000 : 3200);
  setTimeout(() => node.remove(), kind === "bad" ? 6500 : 3700);
}

/** Run a deed of a button; while it runs the button is busy, and a refusal becomes a toast. */
export async function busy(button, deed) {
  if (button.classList.contains("busy")) return undefined;
  button.classList.add("busy");
  button.setAttribute("aria-busy", "true");
  try {
    return await deed();
  } catch (error) {
    toast(error.message, "bad");
    return undefined;
  } finally {
    button.classList.remove("busy");
    button.removeAttribute("aria-busy");
  }
}

export function alertBox(text) {
  const dialog = $("#alert");
  $("p", dialog).textContent = text;
  if (!dialog.open) dialog.showModal();
}

const copyWatchers = [];
export const onCopy = (watcher) => copyWatchers.push(watcher);

/** Copy text, tell everybody who wants to know (the transfer form), and say so. */
export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el("textarea.offscreen", { readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  for (const watcher of copyWatchers) watcher(text);
  if (button) {
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1400);
  }
  toast(`Copied: ${short(text, 46)}`);
}

export const short = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 11)}…${text.slice(-10)}`);

/** 0x7504d…0d6b */
export const brief = (hash) => (hash.length > 16 ? `${hash.slice(0, 7)}…${hash.slice(-4)}` : hash);

const COLOURS = ["#e17076", "#7bc862", "#65aadd", "#a695e7", "#ee7aae", "#6ec9cb", "#faa774", "#5b9bd5"];
export const colour = (id) => COLOURS[((Math.abs(Number(id)) % 97) * 5) % COLOURS.length];

export function initials(name) {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words[words.length - 1][0] : "")).toUpperCase();
}

/** HH:MM in UTC, as the whole sandbox counts. */
export const clockTime = (iso) => iso.slice(11, 16);

export const stored = {
  get: (name) => { try { return localStorage.getItem(name); } catch { return null; } },
  set: (name, value) => { try { localStorage.setItem(name, value); } catch { /* private mode */ } },
};
