/** The garment on show: picture, price, sizes left and one "buy". */
import { h, keyed, setText } from "../dom.js";
import { garmentOf } from "../state.js";
import { countdown, dealLeft, frame, named, openDealOf, piecesLeft, showPrice, showSizes } from "./garment.js";

export class OnShow {
  #root;
  #choose;
  #state;
  #parts;

  constructor(root, { choose }) {
    this.#root = root;
    this.#choose = choose;
  }

  /** Is there a garment on show? */
  get isBare() {
    return this.#root.hidden;
  }

  update(state, nowMs) {
    this.#state = state;
    const garment = state.spotlight === null ? undefined : garmentOf(state, state.spotlight);
    this.#root.hidden = !garment;
    keyed(this.#root, garment ? [garment] : [], (one) => one.style, (one) => this.#make(one));
    if (garment) this.turn(nowMs);
  }

  #make(garment) {
    const parts = {
      ring: countdown("card__ring"),
      price: h("span", { class: "card__price" }),
      dealText: h("span"),
      meter: h("span", { class: "meter", "aria-hidden": "true" }),
      sizes: h("span", { class: "sizes" }),
      buy: h("button", { class: "button card__buy", type: "button", onclick: () => this.#choose(garment.style) }),
    };
    parts.deal = h("span", { class: "card__deal" }, parts.dealText, parts.meter);
    const picture = frame(garment, "card__frame");
    picture.append(parts.ring.element);
    const look = h(
      "button",
      { class: "card__look", type: "button", onclick: () => this.#choose(garment.style) },
      picture, h("span", { class: "card__name" }, named(garment)), parts.price, parts.deal, parts.sizes,
    );
    parts.card = h("div", { class: "card" }, look, parts.buy);
    this.#parts = parts;
    return parts.card;
  }

  /** As time goes: a deal begins, runs, ends. */
  turn(nowMs) {
    if (!this.#state || this.#root.hidden) return;
    const garment = garmentOf(this.#state, this.#state.spotlight);
    const deal = openDealOf(this.#state, garment.style, nowMs);
    const { card, ring, price, deal: dealLine, dealText, meter, sizes, buy } = this.#parts;
    card.toggleAttribute("data-deal", Boolean(deal));
    ring.element.hidden = dealLine.hidden = !deal;
    if (deal) {
      ring.turn(deal.starts_at_ms, deal.ends_at_ms, nowMs);
      const { part, text } = dealLeft(deal);
      setText(dealText, text);
      meter.style.setProperty("--part", part);
      meter.hidden = deal.cap === null;
    }
    showPrice(price, garment, deal);
    showSizes(sizes, garment);
    const isGone = piecesLeft(garment) === 0;
    buy.disabled = isGone;
    setText(buy, isGone ? gettext("Sold out") : gettext("Buy"));
  }
}
