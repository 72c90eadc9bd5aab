// Puts the page together.

import { $, post, stored, toast } from "./dom.js";
import { Chats } from "./chats.js";
import { Composer } from "./composer.js";
import { World } from "./world.js";

const chats = new Chats();
const world = new World(chats, (text) => { document.body.dataset.tab = "chat"; composer.offer(text); });
const composer = new Composer(() => {
  const person = chats.open > 0 ? chats.people.get(chats.open) : null;
  return {
    chatId: chats.open,
    me: chats.me(),
    commands: chats.open > 0 && chats.bot.private_commands?.length ? chats.bot.private_commands : chats.bot.commands,
    startable: Boolean(person && !person.started && !chats.list(chats.open).length),
    blocked: Boolean(person?.blocked),
  };
});

chats.switched = (old, now) => { composer.switchTo(old, now); if (world.data) world.draw(); else world.watch(); };
chats.headDrawn = () => composer.refresh();
chats.say = (words) => composer.say(words);

// narrow screens have no room for the guide beside the chat, so a payment that waits calls for the other side
chats.onChange(() => $("#to-world").classList.toggle("calls", Boolean($(".pay.ready button.strong"))));

// light or dark
const theme = stored.get("theme");
if (theme) document.documentElement.dataset.theme = theme;
$("#theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  stored.set("theme", next);
});

// narrow screens show one of three at a time
$("#to-chats").addEventListener("click", () => { document.body.dataset.tab = "chats"; });
$("#to-world").addEventListener("click", () => { document.body.dataset.tab = "world"; });
$("#from-world").addEventListener("click", () => { document.body.dataset.tab = "chat"; });

// a new person
const NAMES = ["Ada", "Bola", "Chidi", "Dami", "Emeka", "Funmi", "Gozie", "Halima", "Ife", "Jide", "Kemi", "Lanre"];
const dialog = $("#person-dialog");
$("#new-person").addEventListener("click", () => {
  const taken = new Set([...chats.people.values()].map((one) => one.first_name));
  $("#person-name").value = NAMES.find((name) => !taken.has(name)) ?? "Somebody";
  $("#person-username").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  $("#person-name").select();
});
dialog.addEventListener("close", async () => {
  if (dialog.returnValue !== "ok") return;
  const id = Math.max(2000, ...chats.people.keys()) + 1;
  const username = $("#person-username").value.trim();
  try {
    await post("/sandbox/users", { id, first_name: $("#person-name").value.trim(), ...(username ? { username } : {}) });
    chats.people.has(id) ? chats.show(id) : setTimeout(() => chats.show(id), 150);
    document.body.dataset.tab = "chat";
  } catch (error) {
    toast(error.message, "bad");
  }
});

chats.follow();
world.follow();
