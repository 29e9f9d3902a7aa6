/**
 * The till. What it knows stands in the device (`till/store.js`), so that it opens without a line; the house is asked when
 * there is one. The line above says in plain words how things stand.
 */

import { add, emptyBasket, receiptOf, reprice, setQuantity, total, underWay } from "./till/basket.js";
import { h, icon } from "./till/dom.js";
import { Garments } from "./till/garments.js";
import { NoAnswer, Refused, ask } from "./till/line.js";
import { morePage } from "./till/more.js";
import { pairPage } from "./till/pair.js";
import { payPage } from "./till/pay.js";
import { sell, sendAll } from "./till/post.js";
import { receiptPage } from "./till/receipt.js";
import { sellPage } from "./till/sell.js";
import { closePage, openPage } from "./till/shift.js";
import { given, keep, numberFrom, park, parked, queued, readKept, unpark } from "./till/store.js";
import { timeOfDay } from "./till/words.js";

const ASK_EVERY_MS = 20_000;
const ASK_AGAIN_MS = 5_000;
const main = document.getElementById("main");
const line = document.getElementById("line");

/** What the device keeps: `token`, `till`, `shop`, `clerk`, `shift`, `garments`, `basket`, `asked_at`. `online` is of now. */
const known = { online: false };
let garments = new Garments();
let waiting = [];
let held = [];
let page = "";
let nextLook;
let looking;

async function load() {
  Object.assign(known, await readKept());
  known.basket ??= emptyBasket();
  garments = new Garments(known.garments);
  await count();
}

async function count() {
  [waiting, held] = await Promise.all([queued(), parked()]);
}

async function remember(changes) {
  Object.assign(known, changes);
  await keep(changes);
}

function setBasket(basket) {
  known.basket = basket;
  keep({ basket });
}

/** Hand over what waits, then ask how things stand. Without an answer all stays as it is. */
function refresh() {
  looking ??= look().finally(() => {
    looking = undefined;
    clearTimeout(nextLook);
    nextLook = setTimeout(refresh, known.online ? ASK_EVERY_MS : ASK_AGAIN_MS);
  });
  return looking;
}

async function look() {
  if (!known.token) return;
  try {
    if (known.till) await sendAll(known.token, known.till.code);
    const { first_number: first, ...state } = await ask("state", {}, { token: known.token, patience: 10_000 });
    await numberFrom(state.till.code, first);
    await remember({ ...state, asked_at: Date.now() });
    garments = new Garments(known.garments);
    known.online = true;
    if (page === "sell") freshenShelf();
  } catch (error) {
    if (error instanceof Refused && error.code === "till_not_paired") await unpair(error.message);
    else if (error instanceof NoAnswer) known.online = false;
    else throw error;
  } finally {
    await count();
    tell();
  }
}

/** Another price while the basket is open is shown at once; what is being typed stays. */
function freshenShelf() {
  const basket = reprice(known.basket, garments.variants);
  if (total(basket) !== total(known.basket)) {
    setBasket(basket);
    show("sell", { words: gettext("A price has changed. Please look at the basket.") });
  }
}

async function unpair(why) {
  await remember({ token: undefined });
  await count();
  show("pair", { why });
}

/** The line above: can the house be reached, what has it not got yet, when did it answer last? */
function tell() {
  if (!known.token) return void line.replaceChildren();
  const open = waiting.filter((one) => one.state !== "void").length;
  const words = [known.online ? gettext("Connected") : gettext("No line: selling what is booked to this till")];
  words.push(open ? interpolate(ngettext("%s receipt to send", "%s receipts to send", open), [open]) : gettext("all receipts sent"));
  if (known.asked_at) words.push(interpolate(gettext("last answer %s"), [timeOfDay(known.asked_at)]));
  const text = words.join(" · ");
  line.dataset.tone = known.online && !open ? "good" : "warn";
  line.dataset.state = known.online ? "online" : "offline";
  line.dataset.waiting = String(open);
  if (line.textContent !== text) line.replaceChildren(icon(known.online ? "signal" : "signal-off"), h("span", {}, text));
}

/** Pieces of a variant that can still be put into the basket. */
function left(variant) {
  if (variant.id === undefined) return 0;
  const inBasket = known.basket.lines.find((one) => one.variant === variant.id)?.quantity ?? 0;
  const gone = underWay(waiting).get(variant.id) ?? 0;
  return (known.online ? variant.left : variant.leased) - gone - inBasket;
}

async function pay(tenders) {
  const receipt = receiptOf(known.basket, tenders, known.shift.id, Date.now());
  const titles = new Map(known.basket.lines.map((one) => [one.variant, one]));
  for (const one of receipt.lines) Object.assign(one, { title: titles.get(one.variant).title, sku: titles.get(one.variant).sku });
  try {
    const made = await sell(receipt, { token: known.token, variants: garments.variants, online: known.online });
    if (made.noAnswer) known.online = false;
    if (made.state === "sent") {
      for (const one of made.lines) {
        const variant = garments.variants.get(one.variant);
        variant.left -= one.quantity;
        variant.leased = Math.min(variant.leased, variant.left);
      }
    }
    setBasket(emptyBasket());
    await count();
    show("receipt", made);
  } catch (error) {
    if (error.noAnswer) known.online = false;
    setBasket(known.basket);
    await count();
    tell();
    if (error.code) refresh();
    throw error;
  }
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
      await refresh();
      home();
    },
  }),
  sell: ({ words } = {}) => sellPage({
    words,
    get garments() { return garments; },
    get basket() { return known.basket; },
    get limit() { return known.shift.discount_limit; },
    currency: known.shop.currency,
    parked: held.length,
    left,
    add: (style, variant) => setBasket(add(known.basket, variant, garments.title(style, variant))),
    setQuantity: (variant, quantity) => setBasket(setQuantity(known.basket, variant, quantity)),
    setPercent: (percent) => setBasket({ ...known.basket, percent }),
    pay: () => show("pay"),
    hold: async () => {
      await park({ at: Date.now(), basket: known.basket });
      setBasket(emptyBasket());
      await count();
      home();
    },
    more: () => show("more"),
  }),
  pay: () => payPage({ due: total(known.basket), currency: known.shop.currency, paid: pay, back: home }),
  receipt: (receipt) => receiptPage({ receipt, shop: known.shop, till: known.till, next: home }),
  more: ({ sent = [] } = {}) => morePage({
    parked: held, waiting, given: sent, till: known.till, currency: known.shop.currency, back: home,
    recall: async (one) => {
      if (known.basket.lines.length) await park({ at: Date.now(), basket: known.basket });
      setBasket(reprice(one.basket, garments.variants));
      await unpark(one.id);
      await count();
      home();
    },
    look: (one) => show("receipt", one),
    send: async () => { await refresh(); show("more"); },
    close: () => show("close"),
  }),
  close: () => closePage({
    currency: known.shop.currency,
    back: home,
    close: async (counted) => {
      await ask("shift/close", { shift: known.shift.id, ...counted }, { token: known.token });
      await remember({ shift: null });
      await refresh();
      home();
    },
  }),
};

function show(name, about) {
  page = name;
  main.dataset.page = name;
  if (known.till) document.getElementById("name").textContent = `${known.till.name} · ${known.till.place}`;
  main.replaceChildren(pages[name](about));
  tell();
  if (name === "more" && !about) given().then((sent) => page === "more" && show("more", { sent }));
}

/** Where one is when nothing else is wanted. */
function home() {
  if (!known.token || !known.till) show("pair");
  else show(known.shift ? "sell" : "open");
}

async function begin() {
  await load();
  if (known.till) home();
  await refresh();
  if (["", "open"].includes(page) || (page === "sell" && !known.shift)) home();
  addEventListener("online", refresh);
  addEventListener("offline", refresh);
}

if ("serviceWorker" in navigator) navigator.serviceWorker.register("worker.js", { scope: "./" });
if (navigator.storage?.persist) navigator.storage.persist();
begin();
