/** The row of large keys. Each has a letter; the same key of the keyboard presses it, whatever the layout or input method. */
import { h, icon, keyed, setIcon, setText } from "../dom.js";

/** Where a letter is not wanted: somebody types, or a dialog asks something. */
const isTyping = (target) => Boolean(target.closest?.("input:not([type=checkbox], [type=file]), textarea, select, [contenteditable]"));

/** More than these stand narrower, with their letter in the corner. */
const MOST_IN_A_ROW = 6;

export class Keys {
  #root;
  #keys;
  #byCode = new Map();

  /** `keys`: [{code, letter, icon, label, act, kind?, shown(state)?, enabled(state)?, pressed(state)?, hint(state)?}] */
  constructor(root, keys) {
    this.#root = root;
    this.#keys = keys;
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
      const button = this.#byCode.get(event.code);
      if (!button) return;
      event.preventDefault();
      if (!button.disabled) button.click();
    });
    // A focused button would be pressed by the space bar too: the space bar always means its own key here.
    document.addEventListener("keyup", (event) => {
      if (event.code === "Space" && this.#byCode.has("Space") && event.target.closest?.("button") && !document.querySelector("dialog[open]")) event.preventDefault();
    });
  }

  update(state) {
    const shown = this.#keys.filter((one) => one.shown?.(state) ?? true);
    this.#byCode.clear();
    this.#root.toggleAttribute("data-many", shown.length > MOST_IN_A_ROW);
    keyed(
      this.#root, shown, (one) => one.code,
      (one) => {
        const label = h("span");
        const hint = h("small", { class: "keys__hint" });
        const button = h("button", { class: "keys__key", type: "button", dataset: { kind: one.kind ?? "" }, "aria-keyshortcuts": one.letter, onclick: () => this.#press(one, button) },
          icon(one.icon), h("span", { class: "keys__words" }, label, hint), h("span", { class: "key", "aria-hidden": "true" }, one.letter));
        return Object.assign(button, { label, hint });
      },
      (button, one) => {
        this.#byCode.set(one.code, button);
        const isPressed = one.pressed?.(state);
        const isBusy = button.getAttribute("aria-busy") === "true";
        setText(button.label, typeof one.label === "function" ? one.label(state) : one.label);
        setText(button.hint, one.hint?.(state) ?? "");
        if (isPressed !== undefined) {
          button.setAttribute("aria-pressed", isPressed);
          if (one.pressedIcon) setIcon(button, isPressed ? one.pressedIcon : one.icon);
        }
        button.disabled = isBusy || !(one.enabled?.(state) ?? true);
      },
    );
  }

  async #press(one, button) {
    const work = one.act();
    if (!(work instanceof Promise)) return;
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
    try {
      await work;
    } finally {
      button.removeAttribute("aria-busy");
      button.disabled = false;
      this.redraw?.();
    }
  }
}
