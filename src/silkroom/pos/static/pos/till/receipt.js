/** The receipt: on the screen, and on paper through the browser. */

import { h, key } from "./dom.js";
import { dayAndTime, money, named } from "./words.js";

/** 1, 1000023 -> "01-1000023". */
export const labelOf = (till, number) => `${String(till.number).padStart(2, "0")}-${number}`;

export function receiptPage({ receipt, shop, till, next }) {
  const { currency } = shop;
  const change = receipt.tenders.reduce((sum, one) => sum + one.given_minor - one.amount_minor, 0);
  const total = receipt.lines.reduce((sum, line) => sum + line.unit_price_minor * line.quantity, 0);
  const goods = receipt.lines.reduce((sum, line) => sum + line.list_price_minor * line.quantity, 0);
  const row = (words, minor, extra = "") => h("div", { class: `paper__row ${extra}` }, h("dt", {}, words), h("dd", { class: "money" }, money(minor, currency)));
  const forward = key(gettext("Next sale"), next, { kind: "large", id: "next" });
  queueMicrotask(() => forward.focus());
  return h(
    "section", { class: "receipt" },
    h("div", { class: "receipt__keys" },
      h("p", { class: "receipt__change", role: "status" }, change > 0 ? [h("span", {}, gettext("Change")), h("strong", { class: "money", id: "change" }, money(change, currency))] : h("strong", {}, gettext("Paid"))),
      receipt.state === "queued" && h("p", { class: "notice notice--warn" }, gettext("Sold without a line. It is kept on this device and sent as soon as the line is back.")),
      h("div", { class: "sell__keys" }, forward, key(gettext("Print"), () => print(), { sign: "receipt", id: "print" }))),
    h("article", { class: "paper", "aria-label": gettext("Receipt") },
      h("h2", { class: "paper__shop" }, named(shop)), h("p", {}, till.place), shop.contact && h("p", {}, shop.contact),
      h("p", { class: "paper__number figures" }, interpolate(gettext("Receipt %s"), [labelOf(till, receipt.number)])),
      h("p", { class: "figures" }, dayAndTime(receipt.sold_at, shop.time_zone)),
      h("ul", { class: "paper__lines" }, receipt.lines.map((line) => h("li", {}, h("span", {}, line.title), h("span", { class: "paper__row" }, h("span", { class: "figures" }, `${line.quantity} × ${money(line.unit_price_minor, currency)}`), h("span", { class: "money" }, money(line.unit_price_minor * line.quantity, currency)))))),
      h("dl", {}, goods > total && row(gettext("Taken off"), goods - total), row(gettext("Total"), total, "paper__total"),
        receipt.tenders.map((one) => row(one.kind === "cash" ? gettext("Cash") : gettext("Paid by code"), one.given_minor)), change > 0 && row(gettext("Change"), change)),
      h("p", { class: "paper__end" }, gettext("Thank you. Please keep this receipt."))),
  );
}
