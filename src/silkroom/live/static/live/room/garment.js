/** How a garment of the tray is shown: its picture, price, sizes. Used by the card, the tray and the choice. */
import { h, icon, ring, setText } from "../dom.js";
import { leftBySize, openDealOf, piecesLeft, priceNow } from "../state.js";
import { clock, named, priceSpan } from "../words.js";

/** Pieces at which a size is called scarce. */
export const FEW = 3;

export function frame(garment, extra) {
  const picture = garment.picture
    ? h("img", { src: garment.picture, alt: "", loading: "lazy", decoding: "async" })
    : h("span", { class: "frame__bare" }, icon("hanger"));
  return h("span", { class: `frame ${extra}` }, picture);
}

/** The price in an element: list price, or the deal's with the list price struck out. */
export function showPrice(element, garment, deal) {
  const prices = garment.variants.map((one) => one.price_minor);
  const now = garment.variants.map((one) => priceNow(one, deal));
  const key = `${deal ? now.join() : ""}/${prices.join()}`;
  if (element.dataset.shown === key) return;
  element.dataset.shown = key;
  const list = priceSpan(prices, garment.currency);
  if (!deal) return element.replaceChildren(h("span", { class: "money" }, list));
  element.replaceChildren(
    h("span", { class: "money" }, priceSpan(now, garment.currency)),
    h("s", { class: "money money--was" }, h("span", { class: "unseen" }, gettext("instead of"), " "), list),
  );
}

/** S M L XL with what is scarce and what is gone. */
export function showSizes(element, garment) {
  const sizes = leftBySize(garment);
  const key = sizes.map((one) => `${one.id}:${Math.min(one.left, FEW + 1)}`).join();
  if (element.dataset.shown === key) return;
  element.dataset.shown = key;
  element.replaceChildren(
    ...sizes.map(({ label, left }) =>
      h(
        "span",
        { class: "sizes__one", dataset: left === 0 ? { out: "" } : left <= FEW ? { few: "" } : {} },
        label,
        left === 0 ? h("span", { class: "unseen" }, " ", gettext("sold out"))
          : left <= FEW ? h("span", { class: "unseen" }, " ", interpolate(ngettext("%s left", "%s left", left), [left])) : null,
      ),
    ),
  );
}

/** A ring that runs empty between two moments. Call `turn(nowMs)` as time goes. */
export function countdown(extra) {
  const text = h("span");
  const element = h("span", { class: `ring ${extra}`, role: "timer" }, ring(), text);
  return {
    element,
    turn(fromMs, toMs, nowMs) {
      const left = Math.max(0, toMs - nowMs);
      element.style.setProperty("--left", Math.min(1, left / Math.max(1, toMs - fromMs)).toFixed(4));
      setText(text, clock(left));
    },
  };
}

/** What is left of a deal, in words and as a part of one. */
export function dealLeft(deal) {
  if (deal.cap === null) return { part: 1, text: gettext("Only in the show") };
  const left = Math.max(0, deal.cap - deal.taken);
  return { part: left / deal.cap, text: interpolate(ngettext("%s left at this price", "%s left at this price", left), [left]) };
}

export { leftBySize, named, openDealOf, piecesLeft };
