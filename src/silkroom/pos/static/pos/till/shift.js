/** Opening a shift with the cash float, closing it with a count. */

import { field, h, key, notice } from "./dom.js";
import { NoAnswer } from "./line.js";
import { minorOf } from "./words.js";

const amount = (name) => h("input", { class: "input figures", name, inputmode: "decimal", autocomplete: "off", maxlength: "14", required: true });
const notMoney = () => gettext("This is not an amount of money, such as 399 or 399.50.");
const sayWhy = (error) => (error instanceof NoAnswer ? gettext("The house does not answer. Please try again.") : error.message);

/** `clerk`: who is signed in here and may work at this till, or null. */
export function openPage({ clerk, currency, open }) {
  if (!clerk) {
    return h(
      "section", { class: "panel till__card stack" }, h("h2", {}, gettext("Who stands at the till?")),
      h("p", {}, gettext("Sign in as somebody of this shop who works at tills: an owner or a clerk.")),
      h("p", {}, h("a", { class: "button button--large", href: "/accounts/login/?next=/pos/" }, gettext("Sign in"))),
    );
  }
  const said = h("div", {});
  const cash = amount("float");
  const form = h(
    "form", { class: "form panel till__card", onsubmit: send }, h("h2", {}, interpolate(gettext("Good day, %s"), [clerk.name])),
    field(gettext("Cash in the drawer"), cash, gettext("Count it, change and all. The shift begins with it.")), said,
    h("div", { class: "form__keys" }, h("button", { class: "button button--large", type: "submit" }, gettext("Open the shift"))),
  );

  async function send(event) {
    event.preventDefault();
    const minor = minorOf(cash.value, currency);
    if (minor === undefined) return void said.replaceChildren(notice(notMoney()));
    try {
      await open(minor);
    } catch (error) {
      said.replaceChildren(notice(sayWhy(error)));
    }
  }
  queueMicrotask(() => cash.focus());
  return form;
}

/** The count at the end. What should be there is not shown before: a count is a count. */
export function closePage({ currency, close, back }) {
  const said = h("div", {});
  const cash = amount("cash");
  const code = amount("code");
  const note = h("input", { class: "input", name: "note", maxlength: "200", autocomplete: "off" });
  code.value = "0";
  const form = h(
    "form", { class: "form panel till__card", onsubmit: send }, h("h2", {}, gettext("Close the shift")),
    field(gettext("Cash in the drawer"), cash, gettext("All of it, with the float it began with.")),
    field(gettext("Paid by code"), code, gettext("The sum that the payment app shows for this shift.")),
    field(gettext("Note"), note), said,
    h("div", { class: "form__keys" }, h("button", { class: "button button--large", type: "submit" }, gettext("Close the shift")), key(gettext("Back"), back, { kind: "plain" })),
  );

  async function send(event) {
    event.preventDefault();
    const [counted, codes] = [minorOf(cash.value, currency), minorOf(code.value, currency)];
    if (counted === undefined || codes === undefined) return void said.replaceChildren(notice(notMoney()));
    try {
      await close({ counted_cash_minor: counted, counted_code_minor: codes, note: note.value.trim() });
    } catch (error) {
      said.replaceChildren(notice(sayWhy(error)));
    }
  }
  queueMicrotask(() => cash.focus());
  return form;
}
