/** What this person holds and has not paid: until when, how much, and the way to pay without leaving the picture. */
import { h, icon, setText } from "../dom.js";
import { RequestError, get, post } from "../http.js";
import { clock, money, timeOfDay } from "../words.js";
import { countdown, frame, named } from "./garment.js";

const KEPT_AFTER_END_MS = 10 * 60_000;
const ASK_AGAIN_MS = 1_500;
const ASK_FOR_MS = 120_000;

/** "2 × Dawn dress, moon white M". */
function whatOf(order) {
  return interpolate(gettext("%(pieces)s × %(name)s, %(what)s"), { pieces: order.quantity, name: named(order.garment), what: order.what }, true);
}

export class Pay {
  #socket;
  #config;
  #changed;
  #shown = null;
  #parts = {};
  #store;

  constructor({ socket, config, changed }) {
    this.#socket = socket;
    this.#config = config;
    this.#changed = changed;
    this.#store = `silkroom.held.${config.code}`;
    this.orders = this.#remembered();
    this.#shown = this.#waiting[0]?.number ?? null;
    for (const order of this.orders) if (order.state === "paying") this.#watch(order);
  }

  get #waiting() {
    return this.orders.filter((order) => order.state === "held" || order.state === "paying");
  }

  /** Is something held that waits to be paid? */
  get isWaiting() {
    return this.#waiting.length > 0;
  }

  get #order() {
    return this.orders.find((order) => order.number === this.#shown);
  }

  /** Changes when the panel has to be made anew. */
  get view() {
    const order = this.#order;
    return order ? `pay ${order.number} ${order.state} ${order.step ?? ""} ${order.is_addressed ?? ""}` : "pay";
  }

  // A reload in the middle must not lose sight of what is held. The order itself lives on the server.
  #remembered() {
    try {
      const orders = JSON.parse(sessionStorage.getItem(this.#store) ?? "[]");
      return orders.filter((order) => order.holds_until_ms > Date.now() - KEPT_AFTER_END_MS);
    } catch {
      return [];
    }
  }

  #keep() {
    try {
      sessionStorage.setItem(this.#store, JSON.stringify(this.orders.map((one) => ({ ...one, busy: false, problem: "" }))));
    } catch {
      // A browser that keeps nothing still has the order on its order page.
    }
  }

  add(order) {
    this.orders = [{ ...order, state: "held" }, ...this.orders.filter((one) => one.number !== order.number)];
    this.#shown = order.number;
    this.#keep();
  }

  look(number) {
    this.#shown = number;
  }

  #set(order, change) {
    Object.assign(order, change);
    this.#keep();
    this.#changed();
    this.#draw();
  }

  // ---- the panel ----

  make() {
    const order = this.#order;
    if (!order) return { title: gettext("Nothing held"), body: h("p", { class: "quiet" }, gettext("What you buy stands here until it is paid.")) };
    const ended = { paid: this.#makePaid, lapsed: this.#makeLapsed }[order.state];
    return ended ? ended.call(this, order) : this.#makeHeld(order);
  }

  #makeHeld(order) {
    const parts = {
      ring: countdown("pay__ring"),
      problem: h("p", { class: "errorlist", role: "alert", hidden: true }),
      pay: h("button", { class: "button", type: "button", onclick: () => this.#press(order) }),
    };
    this.#parts = parts;
    const words = order.step === "confirm"
      ? h("div", { class: "pay__words" }, h("b", {}, gettext("Practice payment")), h("span", {}, gettext("No real money moves. Confirm it as you would at your bank.")))
      : h("div", { class: "pay__words" },
        h("b", {}, gettext("Held for you")),
        h("span", {}, whatOf(order)),
        h("span", { class: "quiet" }, interpolate(gettext("Until %(time)s, order %(number)s"), { time: timeOfDay(order.holds_until_ms), number: order.number }, true)));
    this.turn(this.#socket.now());
    this.#draw();
    return {
      title: order.step === "confirm" ? gettext("Confirm") : gettext("Pay"),
      body: h("div", { class: "pay" }, h("div", { class: "pay__held" }, parts.ring.element, words), parts.problem),
      foot: [h("a", { class: "button button--plain", href: order.url }, gettext("Details")), parts.pay],
    };
  }

  #makePaid(order) {
    this.#parts = {};
    return {
      title: gettext("Paid"),
      body: h("div", { class: "pay" }, h("div", { class: "pay__held" },
        h("span", { class: "ring pay__ring", dataset: { done: "" } }, icon("check")),
        h("div", { class: "pay__words" }, h("b", {}, gettext("It is yours")),
          h("span", {}, whatOf(order)),
          h("span", { class: "quiet" }, interpolate(gettext("Order %s"), [order.number])))),
      order.is_addressed ? h("p", { class: "quiet" }, gettext("We know where it goes.")) : this.#makeAddress(order)),
      foot: [h("a", { class: "button button--second", href: order.url }, gettext("See the order"))],
    };
  }

  /** Where the parcel goes, asked after the payment: nobody loses the last piece while typing a street. */
  #makeAddress(order) {
    const field = (name, label, complete, length) => {
      const id = `address-${name}`;
      return h("div", { class: "field" }, h("label", { class: "field__label", for: id }, label), h("input", { id, name, autocomplete: complete, maxlength: length, required: true }));
    };
    const problem = h("p", { class: "errorlist", role: "alert", hidden: true });
    const save = h("button", { class: "button", type: "submit" }, gettext("Send it there"));
    return h("form", { class: "form", onsubmit: async (event) => {
      event.preventDefault();
      save.disabled = true;
      try {
        await post(`${order.url}address`, new FormData(event.target));
        this.#set(order, { is_addressed: true });
      } catch (error) {
        save.disabled = false;
        problem.hidden = false;
        setText(problem, error.status === 400 ? gettext("Look at the phone number and the address once more. Nothing was saved.") : error.message);
      }
    } }, h("h3", {}, gettext("Where shall it go?")),
    field("recipient", gettext("Recipient"), "name", "60"), field("phone", gettext("Phone"), "tel", "24"), field("address", gettext("Address"), "street-address", "240"),
    problem, save);
  }

  #makeLapsed(order) {
    this.#parts = {};
    return {
      title: gettext("No longer held"),
      body: h("div", { class: "pay" }, h("p", {}, gettext("The time to pay is over, the pieces went back to the room. Nothing was taken from you; you may buy again while there are some."))),
      foot: [h("a", { class: "button button--second", href: order.url }, gettext("See the order"))],
    };
  }

  #draw() {
    const order = this.#order;
    const { pay, problem } = this.#parts;
    if (!order || !pay) return;
    const isBusy = Boolean(order.busy) || order.state === "paying";
    pay.disabled = isBusy;
    pay.setAttribute("aria-busy", isBusy);
    const sum = money(order.total_minor, order.currency);
    setText(pay, order.state === "paying" ? gettext("One moment") : interpolate(order.step === "confirm" ? gettext("Confirm %s") : gettext("Pay %s"), [sum]));
    problem.hidden = !order.problem;
    setText(problem, order.problem ?? "");
  }

  async #press(order) {
    this.#set(order, { busy: true, problem: "" });
    try {
      if (order.step === "confirm") {
        await post(order.confirm_url, { choice: "confirm" });
        this.#set(order, { busy: false, state: "paying" });
        this.#watch(order);
        return;
      }
      const payment = await post(order.pay_url);
      if (!payment.confirm_url) {
        // A provider of its own: its page takes over, and comes back to the order.
        location.assign(payment.page_url);
        return;
      }
      this.#set(order, { busy: false, step: "confirm", confirm_url: payment.confirm_url, state_url: payment.state_url });
    } catch (error) {
      this.#set(order, { busy: false, problem: error.message });
      this.#look(order);
    }
  }

  /** Asks until the provider's notice has come: a payment is what the server knows, not what this page believes. */
  async #watch(order) {
    const until = Date.now() + ASK_FOR_MS;
    while (Date.now() < until && order.state === "paying") {
      await this.#look(order);
      if (order.state === "paying") await new Promise((go) => setTimeout(go, ASK_AGAIN_MS));
    }
    if (order.state === "paying") this.#set(order, { state: "held", step: "", problem: gettext("The payment has not been confirmed yet. Look at the order in a moment before you pay again.") });
  }

  async #look(order) {
    try {
      const { state, paying_until_ms: until } = await get(order.state_url ?? `${order.url}state`);
      if (until) order.holds_until_ms = Math.max(order.holds_until_ms, until);
      if (state !== "held") this.#set(order, { state: state === "paid" ? "paid" : "lapsed", step: "" });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
    }
  }

  /** As time goes: what is held runs out. The server decides when; the page only stops offering to pay. */
  turn(nowMs) {
    for (const order of this.#waiting) {
      if (order.state === "held" && nowMs >= order.holds_until_ms) this.#set(order, { state: "lapsed", step: "" });
    }
    const order = this.#order;
    if (order && this.#parts.ring) this.#parts.ring.turn(order.held_at_ms, order.holds_until_ms, nowMs);
  }

  // ---- the line in the tray ----

  makeLine(order, open) {
    const words = h("span");
    const one = h("button", { class: "tray__one", type: "button", onclick: open },
      frame(order.garment, "tray__frame"),
      h("span", { class: "tray__words" }, words, h("span", {}, named(order.garment)), h("span", { class: "quiet" }, order.what)), icon("forward"));
    return Object.assign(h("div", {}, one), { words });
  }

  drawLine({ words }, order, nowMs) {
    words.style.justifySelf = "start";
    words.className = `badge ${order.state === "paid" ? "badge--good" : order.state === "lapsed" ? "" : "badge--warn"}`;
    setText(words, order.state === "paid" ? gettext("Paid") : order.state === "lapsed" ? gettext("No longer held")
      : interpolate(gettext("Held for you: %s"), [clock(order.holds_until_ms - nowMs)]));
  }
}
