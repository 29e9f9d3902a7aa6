/** What the room tells this one person: short notices at the top that go by themselves, and what is read aloud only. */
import { h, icon } from "../dom.js";

const STAYS_MS = 6_000;
const AT_ONCE = 2;

export class Told {
  #root;
  #announcer;

  constructor(root, announcer) {
    this.#root = root;
    this.#announcer = announcer;
  }

  /**
   * Shows a notice. `bad`: something did not work. `stays`: until it is closed. `undo` {run, ms}: can be taken back for so
   * long. Returns a function that takes the notice away.
   */
  say(text, { sign = "info", bad = false, stays = false, undo } = {}) {
    const close = h("button", { class: "told__close", type: "button", "aria-label": gettext("Close"), onclick: () => one.remove() }, icon("close"));
    const one = h("p", { class: `told__one${bad ? " told__one--bad" : ""}` }, icon(bad ? "warning" : sign), h("span", {}, text), undo ? this.#undo(undo, () => one.remove()) : close);
    this.#root.append(one);
    while (this.#root.children.length > AT_ONCE) this.#root.firstElementChild.remove();
    if (!stays) setTimeout(() => one.remove(), undo?.ms ?? STAYS_MS + text.length * 40);
    return () => one.remove();
  }

  #undo({ run }, remove) {
    return h("button", { class: "told__undo", type: "button", onclick: () => { remove(); run(); } }, icon("undo"), gettext("Undo"));
  }

  /** Takes all notices away: what they speak of is no more. */
  clear() {
    this.#root.replaceChildren();
  }

  wrong(error) {
    this.say(error.message, { bad: true });
  }

  /** Only for those who listen to the page. */
  aloud(text) {
    this.#announcer.textContent = text;
  }
}
