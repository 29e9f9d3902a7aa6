/** The first page of a device that is no till yet. */

import { field, h, key, notice } from "./dom.js";
import { NoAnswer, ask } from "./line.js";

/** `paired({ token })` is called once the house has taken the code. `why`: why the device has to be paired again. */
export function pairPage({ why = "", waiting = 0, paired }) {
  const said = h("div", {});
  const code = h("input", {
    class: "input till__code", name: "code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "20", required: true,
  });
  const form = h(
    "form", { class: "form panel till__card", onsubmit: send },
    h("h2", {}, gettext("Make this device a till")),
    h("p", {}, gettext("The owner makes a code on the page “Tills” of the shop. It works once, within 10 minutes.")),
    why && notice(why, "warn"),
    waiting > 0 && notice(interpolate(ngettext("%s receipt waits on this device.", "%s receipts wait on this device.", waiting), [waiting]), "warn"),
    field(gettext("Code"), code), said,
    h("div", { class: "form__keys" }, h("button", { class: "button button--large", type: "submit" }, gettext("Pair"))),
  );

  async function send(event) {
    event.preventDefault();
    try {
      await paired(await ask("pair", { code: code.value }));
    } catch (error) {
      said.replaceChildren(notice(error instanceof NoAnswer ? gettext("The house does not answer. Please try again.") : error.message));
      code.select();
    }
  }
  queueMicrotask(() => code.focus());
  return form;
}
