/** Sales on hold, receipts of this device, and the end of the shift. */

import { pieces, total } from "./basket.js";
import { h, key, notice } from "./dom.js";
import { labelOf } from "./receipt.js";
import { money, timeOfDay } from "./words.js";

export function morePage({ parked, waiting, given, till, currency, recall, look, send, close, back }) {
  const receipts = [...waiting, ...given].filter((one) => one.state !== "void").sort((one, other) => other.sold_at - one.sold_at).slice(0, 50);
  const refused = waiting.filter((one) => one.why);
  const sum = (one) => money(one.lines.reduce((all, line) => all + line.unit_price_minor * line.quantity, 0), currency);
  return h(
    "div", { class: "stack till__card" },
    h("div", { class: "row" }, key(gettext("Back to selling"), back, { kind: "large", id: "selling" })),
    refused.map((one) => notice(`${labelOf(till, one.number)}: ${one.why}`)),
    h("section", { class: "panel stack" }, h("h2", {}, gettext("On hold")),
      parked.length ? h("ul", { class: "till__rows" }, parked.map((one) => h("li", {},
        h("span", {}, timeOfDay(one.at), " · ", one.basket.lines.map((line) => line.title).join(", ")), h("span", { class: "money" }, `${pieces(one.basket)} · ${money(total(one.basket), currency)}`),
        key(gettext("Recall"), () => recall(one), { "aria-label": interpolate(gettext("Recall the sale of %s"), [timeOfDay(one.at)]) })))) : h("p", { class: "quiet" }, gettext("No sale is on hold."))),
    h("section", { class: "panel stack" }, h("h2", {}, gettext("Receipts of this device")),
      waiting.length > 0 && h("div", { class: "row" }, h("p", {}, interpolate(ngettext("%s receipt waits on this device.", "%s receipts wait on this device.", waiting.length), [waiting.length])), key(gettext("Send now"), send, { sign: "refresh" })),
      receipts.length ? h("ul", { class: "till__rows" }, receipts.map((one) => h("li", {},
        h("span", { class: "figures" }, labelOf(till, one.number), " · ", timeOfDay(one.sold_at), one.state !== "sent" && h("span", { class: "badge badge--warn" }, gettext("not sent yet"))), h("span", { class: "money" }, sum(one)),
        key(gettext("Show"), () => look(one), { "aria-label": interpolate(gettext("Show receipt %s"), [labelOf(till, one.number)]) })))) : h("p", { class: "quiet" }, gettext("No receipt yet."))),
    h("section", { class: "panel stack" }, h("h2", {}, gettext("Shift")), waiting.length > 0 && h("p", {}, gettext("The shift can be closed when all receipts are sent.")), h("div", {}, key(gettext("Close the shift"), close, { disabled: waiting.length > 0, id: "close" }))),
  );
}
