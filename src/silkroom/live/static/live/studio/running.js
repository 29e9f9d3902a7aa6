/** Left: the garment on show, large, and the running order. A row shows its garment; before the show rows can be moved. */
import { h, icon, keyed, setText, wantsCalm } from "../dom.js";
import { FEW, countdown, dealLeft, frame, leftBySize, named, openDealOf, piecesLeft, showPrice } from "../room/garment.js";
import { garmentOf } from "../state.js";

export class Running {
  #parts;
  #verbs;
  #state;
  #now = {};
  #shown = null;

  /** `verbs`: spotlight(style), order([styles]). */
  constructor(parts, verbs) {
    this.#parts = parts;
    this.#verbs = verbs;
  }

  /** The garment after the one on show; the first if none is. undefined at the end. */
  get following() {
    const place = this.#state.tray.findIndex((one) => one.style === this.#state.spotlight);
    return this.#state.tray[place + 1];
  }

  update(state, nowMs) {
    this.#state = state;
    this.#drawNow(nowMs);
    keyed(this.#parts.order, state.tray, (one) => one.style, (one) => this.#makeTurn(one), (element, one) => this.#drawTurn(element, one));
    if (this.#shown !== state.spotlight) {
      this.#shown = state.spotlight;
      // After the garment above the list has its height.
      requestAnimationFrame(() => this.#parts.order.querySelector("[data-now]")?.scrollIntoView({ block: "center", behavior: wantsCalm() ? "auto" : "smooth" }));
    }
    this.turn(nowMs);
  }

  // ---- on show ----

  #drawNow(nowMs) {
    const root = this.#parts.now;
    const garment = this.#state.spotlight === null ? undefined : garmentOf(this.#state, this.#state.spotlight);
    keyed(
      root, [garment ?? { style: "none" }], (one) => one.style,
      (one) => (one === garment ? this.#makeNow(garment) : h("p", { class: "now__empty" })),
      (element, one) => {
        if (one === garment) this.#drawSizes(garment);
        else setText(element, this.#state.tray.length ? gettext("Nothing is on show. N shows the first garment.") : gettext("Add the garments that you will show."));
      },
    );
    if (!garment) {
      this.#now = {};
      root.removeAttribute("data-deal");
    }
  }

  #makeNow(garment) {
    const now = { price: h("p", { class: "now__price" }), ring: countdown(""), dealText: h("span"), sizes: h("div", { class: "now__sizes figures" }) };
    now.deal = h("p", { class: "now__deal" }, now.ring.element, now.dealText);
    this.#now = now;
    return h("div", {}, h("p", { class: "now__name" }, named(garment)), now.price, now.deal, now.sizes);
  }

  #drawSizes(garment) {
    keyed(
      this.#now.sizes, leftBySize(garment), (one) => one.id,
      ({ label }) => h("p", { class: "now__size" }, h("b", {}, label), h("span")),
      (element, { left }) => {
        setText(element.lastElementChild, left);
        element.toggleAttribute("data-few", left > 0 && left <= FEW);
        element.toggleAttribute("data-out", left === 0);
      },
    );
  }

  turn(nowMs) {
    if (!this.#state || !this.#now.price) return;
    const garment = garmentOf(this.#state, this.#state.spotlight);
    const deal = openDealOf(this.#state, garment.style, nowMs);
    this.#parts.now.toggleAttribute("data-deal", Boolean(deal));
    this.#now.deal.hidden = !deal;
    showPrice(this.#now.price, garment, deal);
    if (!deal) return;
    this.#now.ring.turn(deal.starts_at_ms, deal.ends_at_ms, nowMs);
    setText(this.#now.dealText, dealLeft(deal).text);
  }

  // ---- the list ----

  #makeTurn({ style }) {
    const parts = { place: h("span", { class: "turn__place figures" }), name: h("span", { class: "turn__name" }), price: h("span"), left: h("span") };
    parts.words = h("button", { class: "turn__words", type: "button", onclick: () => this.#verbs.spotlight(style) }, parts.name, h("span", { class: "turn__facts figures" }, parts.price, parts.left));
    const key = (label, name, act) => h("button", { class: "mini", type: "button", "aria-label": label, title: label, onclick: act }, icon(name));
    const keys = h("span", { class: "turn__keys" },
      key(gettext("Earlier"), "up", () => this.#move(style, -1)),
      key(gettext("Later"), "down", () => this.#move(style, 1)),
      key(gettext("Take out"), "close", () => this.#takeOut(style)));
    const garment = garmentOf(this.#state, style);
    return Object.assign(h("li", { class: "turn" }, parts.place, frame(garment, "turn__frame"), parts.words, keys), { parts });
  }

  #drawTurn(element, garment) {
    const { place, name, price, left, words } = element.parts;
    const isNow = garment.style === this.#state.spotlight;
    element.toggleAttribute("data-now", isNow);
    words.setAttribute("aria-pressed", isNow);
    setText(place, this.#state.tray.indexOf(garment) + 1);
    setText(name, named(garment));
    showPrice(price, garment);
    const pieces = piecesLeft(garment);
    setText(left, pieces === 0 ? gettext("sold out") : interpolate(ngettext("%s left", "%s left", pieces), [pieces]));
  }

  get #order() {
    return this.#state.tray.map((one) => one.style);
  }

  #move(style, by) {
    const order = this.#order;
    const from = order.indexOf(style);
    const to = Math.min(Math.max(0, from + by), order.length - 1);
    order.splice(to, 0, ...order.splice(from, 1));
    this.#verbs.order(order);
  }

  #takeOut(style) {
    const before = this.#order;
    this.#verbs.order(before.filter((one) => one !== style), { undo: () => this.#verbs.order(before), words: gettext("Taken out of the running order.") });
  }
}

/** The dialog that puts garments of the shop into the running order. */
export class Adding {
  constructor({ dialog, search, list, styles, current, order }) {
    const isIn = (style) => current().some((one) => one.style === style);
    const draw = () => {
      const word = search.value.trim().toLowerCase();
      keyed(
        list, styles.filter((one) => `${one.name} ${one.name_en}`.toLowerCase().includes(word)), (one) => one.style,
        (one) => h("li", {}, h("button", { class: "pick", type: "button", onclick: () => {
          const now = current().map((garment) => garment.style);
          order(isIn(one.style) ? now.filter((style) => style !== one.style) : [...now, one.style]);
        } }, frame(one, ""), h("span", {}, named(one)))),
        (element, one) => element.firstElementChild.setAttribute("aria-pressed", isIn(one.style)),
      );
    };
    search.addEventListener("input", draw);
    this.draw = draw;
    this.open = () => {
      search.value = "";
      draw();
      dialog.showModal();
    };
  }
}
