/** The deal sheet: deals that lie ready are launched with two taps (D, then the deal); a new one needs price, pieces, minutes. */
import { h, icon } from "../dom.js";
import { named } from "../room/garment.js";
import { garmentOf } from "../state.js";
import { minorOf, money } from "../words.js";

const MINUTES = [1, 3, 5, 10, 20];

export class DealSheet {
  #dialog;
  #verbs;
  #prepared;
  #state;

  /** `verbs`: launch(terms), prepare(terms) → prepared, removePrepared(prepared). */
  constructor(dialog, prepared, verbs) {
    this.#dialog = dialog;
    this.#prepared = prepared;
    this.#verbs = verbs;
  }

  open(state) {
    this.#state = state;
    this.#draw();
    this.#dialog.showModal();
    (this.#dialog.querySelector(".deal__one .button") ?? this.#dialog.querySelector("input, select"))?.focus();
  }

  #terms(one) {
    const garment = garmentOf(this.#state, one.style);
    const minutes = Math.round(one.seconds / 60);
    return [
      money(one.price_minor, garment.currency),
      one.cap === null ? gettext("no piece limit") : interpolate(ngettext("%s piece", "%s pieces", one.cap), [one.cap]),
      one.per_person === null ? null : interpolate(gettext("%s each"), [one.per_person]),
      interpolate(ngettext("%s minute", "%s minutes", minutes), [minutes]),
    ].filter(Boolean).join(" · ");
  }

  #draw() {
    // What is on show comes first: that is what the host is about to launch.
    const ready = this.#prepared
      .filter((one) => garmentOf(this.#state, one.style))
      .sort((a, b) => (b.style === this.#state.spotlight) - (a.style === this.#state.spotlight));
    this.#dialog.replaceChildren(
      h("h2", { class: "dialog__title", id: "deal-title" }, gettext("Deal")),
      ready.length ? h("div", { class: "deal__ready stack" }, ready.map((one) => this.#makeReady(one))) : null,
      ready.length ? h("hr") : null,
      this.#makeForm(),
    );
    for (const nothing of [...this.#dialog.childNodes]) if (nothing.nodeType === Node.TEXT_NODE) nothing.remove();
  }

  #makeReady(one) {
    return h("div", { class: "deal__one" },
      h("button", { class: "button button--second", type: "button", onclick: () => this.#launch({ prepared: one.prepared }) },
        h("span", {}, named(garmentOf(this.#state, one.style))), h("small", { class: "figures" }, this.#terms(one))),
      h("button", { class: "mini", type: "button", "aria-label": gettext("Remove"), onclick: async () => {
        if (!(await this.#verbs.removePrepared(one))) return;
        this.#prepared = this.#prepared.filter((other) => other !== one);
        this.#draw();
      } }, icon("trash")));
  }

  #makeForm() {
    const style = h("select", { id: "deal-style" }, this.#state.tray.map((one) => h("option", { value: String(one.style), selected: one.style === this.#state.spotlight }, named(one))));
    const price = h("input", { id: "deal-price", type: "number", min: "0.01", step: "0.01", inputmode: "decimal", required: true });
    const cap = h("input", { id: "deal-cap", type: "number", min: "1", step: "1", inputmode: "numeric" });
    const each = h("input", { id: "deal-each", type: "number", min: "1", step: "1", inputmode: "numeric", value: "2" });
    const minutes = h("select", { id: "deal-minutes" }, MINUTES.map((one) => h("option", { value: String(one), selected: one === 5 }, interpolate(ngettext("%s minute", "%s minutes", one), [one]))));
    const help = h("p", { class: "field__help" });
    const suggest = () => {
      const garment = garmentOf(this.#state, Number(style.value));
      if (garment) help.textContent = interpolate(gettext("Otherwise %s"), [money(garment.price_minor, garment.currency)]);
    };
    style.addEventListener("change", suggest);
    suggest();
    const field = (label, control, ...more) => h("div", { class: "field" }, h("label", { class: "field__label", for: control.id }, label), control, ...more);
    const terms = () => ({
      style: Number(style.value),
      price_minor: minorOf(price.value, garmentOf(this.#state, Number(style.value)).currency),
      seconds: Number(minutes.value) * 60,
      cap: cap.value ? Number(cap.value) : null,
      per_person: each.value ? Number(each.value) : null,
    });
    const form = h("form", { class: "form", onsubmit: (event) => { event.preventDefault(); this.#launch(terms()); } },
      field(gettext("Garment"), style),
      h("div", { class: "deal__grid" },
        field(gettext("Price in the show"), price, help),
        field(gettext("Lasts"), minutes),
        field(gettext("Pieces at this price"), cap),
        field(gettext("Pieces for each person"), each)),
      h("div", { class: "form__keys" },
        h("button", { class: "button", type: "submit" }, gettext("Launch")),
        h("button", { class: "button button--second", type: "button", onclick: async () => {
          if (!form.reportValidity()) return;
          const answer = await this.#verbs.prepare(terms());
          if (!answer) return;
          this.#prepared = [...this.#prepared, answer.prepared];
          this.#draw();
        } }, gettext("Prepare a deal")),
        h("button", { class: "button button--plain", type: "button", onclick: () => this.#dialog.close() }, gettext("Close"))));
    return form;
  }

  #launch(terms) {
    this.#dialog.close();
    this.#verbs.launch(terms);
  }
}
