/**
 * The till. What it knows stands in the device (`till/store.js`), so that it opens without a line; the house is asked when
 * there is one. The line above says in plain words how things stand.
 */

import { h, icon, key } from "./till/dom.js";
import { NoAnswer, Refused, ask } from "./till/line.js";
import { pairPage } from "./till/pair.js";
import { closePage, openPage } from "./till/shift.js";
import { keep, numberFrom, queued, readKept } from "./till/store.js";
import { timeOfDay } from "./till/words.js";

const ASK_EVERY_MS = 20_000;
const main = document.getElementById("main");
const line = document.getElementById("line");

/** What the device knows: `token`, `till`, `shop`, `clerk`, `shift`, `asked_at`; `online`: did the house answer last time? */
const known = { online: false };
let waiting = [];
let page = "";

async function load() {
  Object.assign(known, await readKept());
  waiting = await queued();
}

async function remember(changes) {
  Object.assign(known, changes);
  await keep(changes);
}

/** Ask the house how things stand. What it does not answer stays as it is. */
async function refresh() {
  if (!known.token) return;
  try {
    const answer = await ask("state", {}, { token: known.token });
    const { first_number: first, ...state } = answer;
    await numberFrom(first);
    await remember({ ...state, asked_at: Date.now() });
    known.online = true;
  } catch (error) {
    if (error instanceof Refused && error.code === "till_not_paired") {
      known.online = true;
      return void (await unpair(error.message));
    }
    if (!(error instanceof NoAnswer)) throw error;
    known.online = false;
  }
  tell();
}

async function unpair(why) {
  await remember({ token: undefined });
  show("pair", { why });
}

/** The line above: can the house be reached, what has it not got yet, when did it answer last? */
function tell() {
  if (!known.token) return void line.replaceChildren();
  const when = known.asked_at ? interpolate(gettext("last answer %s"), [timeOfDay(known.asked_at)]) : "";
  const words = [known.online ? gettext("Connected") : gettext("No line")];
  if (when) words.push(when);
  line.dataset.tone = known.online ? "good" : "warn";
  line.replaceChildren(icon(known.online ? "signal" : "signal-off"), h("span", {}, words.join(" · ")));
}

const pages = {
  pair: ({ why } = {}) => pairPage({
    why,
    waiting: waiting.length,
    paired: async (answer) => {
      await remember({ token: answer.token });
      await refresh();
      home();
    },
  }),
  open: () => openPage({
    clerk: known.clerk,
    currency: known.shop.currency,
    open: async (minor) => {
      const answer = await ask("shift/open", { float_minor: minor }, { token: known.token });
      await remember({ shift: answer.shift });
      home();
    },
  }),
  work: () => h(
    "section", { class: "panel till__card stack" },
    h("h2", {}, interpolate(gettext("Shift open since %s"), [timeOfDay(known.shift.opened_at)])), h("p", {}, known.shift.by),
    h("div", { class: "row" }, key(gettext("Close the shift"), () => show("close"), { kind: "second" })),
  ),
  close: () => closePage({
    currency: known.shop.currency,
    back: home,
    close: async (count) => {
      await ask("shift/close", { shift: known.shift.id, ...count }, { token: known.token });
      await remember({ shift: null });
      home();
    },
  }),
};

function show(name, about) {
  page = name;
  if (known.till) document.getElementById("name").textContent = `${known.till.name} · ${known.till.place}`;
  main.replaceChildren(pages[name](about));
  tell();
}

/** Where one is when nothing else is wanted. */
function home() {
  if (!known.token || !known.till) show("pair");
  else show(known.shift ? "work" : "open");
}

async function begin() {
  await load();
  if (known.till) home();
  await refresh();
  if (!page || page === "open" || page === "work") home();
  setInterval(refresh, ASK_EVERY_MS);
  addEventListener("online", refresh);
}

if ("serviceWorker" in navigator) navigator.serviceWorker.register("worker.js", { scope: "./" });
if (navigator.storage?.persist) navigator.storage.persist();
begin();
