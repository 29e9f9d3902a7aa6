/** What is said in the room: the last comments, the pinned one, and the line to write in. */
import { h, icon, keyed, setText } from "../dom.js";
import { roleBadge } from "./role.js";

export class Talk {
  #parts;
  #socket;
  #delayMs;
  #nameFirst;
  #told;
  #pending = [];
  #nextPending = 1;
  #asking = false;
  #state;
  #mine = new Set();
  #isAtEnd = true;

  /** `delayMs()`: how far behind the host this person's picture is. `nameFirst(again)`: asks for a name, then does it again. */
  constructor({ parts, socket, delayMs, nameFirst, told }) {
    this.#parts = parts;
    this.#socket = socket;
    this.#delayMs = delayMs;
    this.#nameFirst = nameFirst;
    this.#told = told;
    parts.ask.addEventListener("click", () => this.#setAsking(!this.#asking));
    parts.text.addEventListener("input", () => parts.say.toggleAttribute("data-full", parts.text.value.trim() !== ""));
    // The list stays at its end, unless somebody has scrolled up to read.
    const { comments } = parts;
    let before = 0;
    comments.addEventListener("scroll", () => {
      const isNearEnd = comments.scrollHeight - comments.scrollTop - comments.clientHeight < 48;
      // Only upwards is a person's doing: the list also moves when its box shrinks.
      this.#isAtEnd = isNearEnd || (this.#isAtEnd && comments.scrollTop >= before);
      before = comments.scrollTop;
    });
    new ResizeObserver(() => this.#toEnd()).observe(comments);
    parts.say.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = parts.text.value.trim();
      if (text) this.#say(text, this.#asking);
    });
  }

  /** Turns the line to asking, and puts the cursor there. */
  ask() {
    this.#setAsking(true);
    this.#parts.text.focus();
  }

  #setAsking(asking) {
    const { ask, text, "say-label": label } = this.#parts;
    this.#asking = asking;
    ask.setAttribute("aria-pressed", asking);
    text.maxLength = asking ? 300 : 200;
    text.placeholder = asking ? gettext("Ask the host") : gettext("Say something");
    setText(label, asking ? gettext("Question to the host") : gettext("Comment"));
  }

  async #say(text, asking) {
    const { text: field, say } = this.#parts;
    const pending = { key: `p${this.#nextPending++}`, text, question: asking, pending: true };
    this.#pending.push(pending);
    field.value = "";
    say.removeAttribute("data-full");
    this.#draw();
    try {
      const reply = asking
        ? await this.#socket.send("ask", { text, style: this.#state?.spotlight ?? null, delay_ms: this.#delayMs() })
        : await this.#socket.send("comment", { text });
      // The event may have come before the reply, or will come; until then the words stay as they are.
      pending.n = reply.n;
      if (asking) {
        this.#mine.add(reply.n);
        this.#setAsking(false);
        this.#told.say(gettext("The host has your question. You hear when it is answered."), { sign: "ask" });
      }
    } catch (error) {
      this.#pending = this.#pending.filter((one) => one !== pending);
      if (!field.value) field.value = text;
      say.toggleAttribute("data-full", true);
      if (error.code === "name_first") this.#nameFirst(() => this.#again(text, asking));
      else this.#told.wrong(error);
    }
    this.#draw();
  }

  #again(text, asking) {
    if (this.#parts.text.value === text) this.#parts.text.value = "";
    this.#say(text, asking);
  }

  /** Is event `n` a question of this page's person? Those asked before a reload are known by the person's code. */
  isMine(question) {
    return this.#mine.has(question.n) || question.person === this.#socket.you?.person;
  }

  update(state) {
    this.#state = state;
    this.#draw();
    const { pinned, text, ask } = this.#parts;
    pinned.hidden = !state.pinned;
    if (state.pinned && pinned.dataset.n !== String(state.pinned.n)) {
      pinned.dataset.n = state.pinned.n;
      pinned.replaceChildren(icon("pin"), h("b", {}, state.pinned.name), " ", state.pinned.text);
    }
    const isMuted = state.muted.includes(this.#socket.you?.person);
    text.disabled = ask.disabled = isMuted;
    if (isMuted) text.placeholder = gettext("You cannot write in this show");
    else if (!this.#asking) text.placeholder = gettext("Say something");
  }

  #draw() {
    const list = this.#parts.comments;
    const comments = this.#state?.comments ?? [];
    const known = new Set(comments.map((one) => one.n));
    this.#pending = this.#pending.filter((one) => !known.has(one.n));
    const answered = new Set((this.#state?.questions ?? []).filter((one) => one.state === "answered").map((one) => one.n));
    keyed(
      list,
      [...comments, ...this.#pending],
      (one) => one.key ?? one.n,
      (one) => this.#make(one),
      (element, one) => {
        if (!one.question) return;
        const isAnswered = answered.has(one.n);
        if (isAnswered !== element.hasAttribute("data-answered")) {
          element.toggleAttribute("data-answered", isAnswered);
          element.querySelector(".said__mark").replaceChildren(icon("check"), gettext("answered"));
        }
      },
    );
    this.#toEnd();
  }

  #toEnd() {
    if (this.#isAtEnd) this.#parts.comments.scrollTop = this.#parts.comments.scrollHeight;
  }

  #make(one) {
    const { name = "", role } = one.pending ? (this.#socket.you ?? {}) : one;
    return h(
      "p",
      { class: "said", dataset: one.pending ? { pending: "" } : {} },
      one.question ? h("span", { class: "said__mark" }, icon("ask"), gettext("asks")) : null,
      name ? h("b", { class: "said__name" }, name, roleBadge(role)) : null,
      one.text,
    );
  }
}
