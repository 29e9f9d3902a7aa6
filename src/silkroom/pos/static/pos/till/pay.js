/** Taking money: cash with change, "paid by code" as the clerk has seen it, and parts of both. Enter is the exact sum in cash. */

import { field, h, key, notice } from "./dom.js";
import { minorOf, money, typed } from "./words.js";

const NOTES_MINOR = [5_000, 10_000, 20_000, 50_000];

/** `paid(tenders)` is called once, when nothing is due any more; it may refuse by throwing, and the money stays counted. */
export function payPage({ due, currency, paid, back }) {
  const tenders = [];
  const said = h("div", {});
  const amount = h("input", { class: "input figures pay__amount", name: "amount", inputmode: "decimal", autocomplete: "off", maxlength: "14" });
  const open = h("p", { class: "pay__due" });
  const list = h("ul", { class: "pay__list" });
  const quick = h("div", { class: "pay__quick" });
  const cash = key(gettext("Cash"), () => take("cash"), { kind: "large", id: "cash" });
  const code = key(gettext("Paid by code"), () => take("code"), { kind: "second button--large", id: "code" });
  const form = h(
    "form", { class: "form panel till__card pay", onsubmit: (event) => { event.preventDefault(); take("cash"); } },
    h("h2", {}, gettext("Pay")), open, list, field(gettext("Amount"), amount, gettext("More than is due in cash gives change. Less is a part of it.")), quick, said,
    h("div", { class: "sell__keys" }, cash, code, key(gettext("Back"), back, { kind: "plain", id: "back" })),
  );
  const left = () => due - tenders.reduce((sum, one) => sum + one.amount_minor, 0);

  async function take(kind) {
    const given = minorOf(amount.value, currency);
    const rest = left();
    if (given === undefined || (given === 0 && rest > 0)) return said.replaceChildren(notice(gettext("This is not an amount of money, such as 399 or 399.50.")));
    if (kind === "code" && given > rest) return said.replaceChildren(notice(gettext("By code only what is due can be paid.")));
    said.replaceChildren();
    if (rest > 0) tenders.push({ kind, amount_minor: Math.min(given, rest), given_minor: given });
    if (left() > 0) return fill();
    for (const one of [cash, code]) one.disabled = true;
    form.setAttribute("aria-busy", "true");
    try {
      await paid(tenders);
    } catch (error) {
      form.removeAttribute("aria-busy");
      for (const one of [cash, code]) one.disabled = false;
      tenders.pop();
      fill();
      said.replaceChildren(notice(error.message));
    }
    return undefined;
  }

  function fill() {
    const rest = left();
    open.replaceChildren(h("span", {}, gettext("Due")), h("strong", { class: "money", id: "due" }, money(rest, currency)));
    list.replaceChildren(...tenders.map((one) => h("li", {}, h("span", {}, one.kind === "cash" ? gettext("Cash") : gettext("Paid by code")), h("span", { class: "money" }, money(one.amount_minor, currency)))));
    amount.value = typed(rest, currency);
    const notes = [...new Set(NOTES_MINOR.map((note) => Math.ceil(rest / note) * note))].filter((sum) => sum > rest).slice(0, 3);
    quick.replaceChildren(...notes.map((sum) => key(money(sum, currency), () => { amount.value = typed(sum, currency); take("cash"); }, { class: "button button--second figures" })));
    queueMicrotask(() => { amount.focus(); amount.select(); });
  }
  fill();
  return form;
}
