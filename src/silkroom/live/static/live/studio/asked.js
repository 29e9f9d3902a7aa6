/** Right: the next question, large; those that wait; comments. A tap on words shows what can be done with them. */
import { h, icon, keyed, setText } from "../dom.js";
import { named } from "../room/garment.js";
import { roleBadge } from "../room/role.js";
import { garmentOf } from "../state.js";
import { seconds } from "../words.js";

export class Asked {
  #parts;
  #verbs;
  #state;
  #open = null;
  #isAtEnd = true;

  /** `verbs`: answered(question), pin(words), unpin(), hide(words), mute(words), unmute(person). */
  constructor(parts, verbs) {
    this.#parts = parts;
    this.#verbs = verbs;
    const { comments } = parts;
    let before = 0;
    comments.addEventListener("scroll", () => {
      const isNearEnd = comments.scrollHeight - comments.scrollTop - comments.clientHeight < 48;
      this.#isAtEnd = isNearEnd || (this.#isAtEnd && comments.scrollTop >= before);
      before = comments.scrollTop;
    });
    new ResizeObserver(() => this.#toEnd()).observe(comments);
  }

  #toEnd() {
    if (this.#isAtEnd) this.#parts.comments.scrollTop = this.#parts.comments.scrollHeight;
  }

  /** The question that "answered" means: the one that has waited longest. */
  get question() {
    return this.#waiting[0];
  }

  get #waiting() {
    return (this.#state?.questions ?? []).filter((one) => one.state === "asked" && !this.#state.muted.includes(one.person));
  }

  update(state) {
    this.#state = state;
    const { next, questions, waiting, comments, pinned } = this.#parts;
    const [first, ...rest] = this.#waiting;
    next.classList.toggle("next--none", !first);
    keyed(next, [first ?? { n: "none" }], (one) => one.n, (one) => (first ? this.#makeNext(one) : h("p", {}, gettext("No question waits."))));
    setText(waiting, rest.length || "");
    keyed(questions, rest, (one) => one.n, (one) => this.#make(one, true), (element, one) => this.#draw(element, one));
    const others = state.comments.filter((one) => !one.question);
    keyed(comments, others, (one) => one.n, (one) => this.#make(one, false), (element, one) => this.#draw(element, one));
    this.#toEnd();
    pinned.hidden = !state.pinned;
    if (state.pinned && pinned.dataset.n !== String(state.pinned.n)) {
      pinned.dataset.n = state.pinned.n;
      pinned.replaceChildren(icon("pin"), h("span", {}, h("b", {}, state.pinned.name), " ", state.pinned.text),
        h("button", { class: "mini", type: "button", "aria-label": gettext("Unpin"), title: gettext("Unpin"), onclick: () => this.#verbs.unpin() }, icon("close")));
    }
  }

  #behind({ delay_ms: delay }) {
    return delay === null ? null : h("span", { class: "behind" }, interpolate(gettext("asked %s behind you"), [seconds(delay)]));
  }

  #about({ style }) {
    const garment = style === null ? undefined : garmentOf(this.#state, style);
    return garment ? h("span", {}, named(garment)) : null;
  }

  #makeNext(question) {
    return h("div", {},
      h("p", { class: "next__text" }, question.text),
      h("p", { class: "next__who" }, h("b", {}, question.name, roleBadge(question.role)), this.#behind(question), this.#about(question)),
      this.#keys(question));
  }

  #make(words, isQuestion) {
    const text = h("button", { class: "word__text", type: "button", "aria-expanded": "false", onclick: () => this.#toggle(words.n) },
      h("b", {}, words.name, roleBadge(words.role)), words.text, isQuestion && words.delay_ms !== null ? h("span", { class: "quiet" }, seconds(words.delay_ms)) : null);
    return Object.assign(h(isQuestion ? "li" : "div", { class: "word" }, text), { text });
  }

  #toggle(n) {
    this.#open = this.#open === n ? null : n;
    this.update(this.#state);
  }

  #draw(element, words) {
    const isOpen = this.#open === words.n;
    element.toggleAttribute("data-open", isOpen);
    element.text.setAttribute("aria-expanded", isOpen);
    const isMuted = this.#state.muted.includes(words.person);
    element.toggleAttribute("data-muted", isMuted);
    if (isOpen && element.dataset.muted !== element.keysFor) element.querySelector(".word__keys")?.remove();
    if (isOpen && !element.querySelector(".word__keys")) {
      element.keysFor = element.dataset.muted;
      element.append(this.#keys(words));
    }
  }

  #keys(words) {
    const key = (name, label, act) => h("button", { class: "word__key", type: "button", onclick: () => { this.#open = null; act(); } }, icon(name), label);
    const isMuted = this.#state.muted.includes(words.person);
    return h("div", { class: "word__keys" },
      "delay_ms" in words ? key("check", gettext("Answered"), () => this.#verbs.answered(words)) : null,
      key("pin", gettext("Pin"), () => this.#verbs.pin(words)),
      key("close", gettext("Hide"), () => this.#verbs.hide(words)),
      isMuted ? key("person", gettext("Let speak"), () => this.#verbs.unmute(words.person)) : key("person-off", gettext("Mute"), () => this.#verbs.mute(words)));
  }
}
