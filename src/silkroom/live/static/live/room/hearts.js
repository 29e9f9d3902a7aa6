/** Hearts: one's own at once, those of others as they come; gathered before they are sent. */
import { icon, wantsCalm } from "../dom.js";

const FLUSH_MS = 400;
const MOST_AT_ONCE = 8; // of others' hearts for one event: a crowd is a stream, not a wall
const MOST_IN_SIGHT = 40;
const MOST_IN_A_MESSAGE = 50;

export class Hearts {
  #field;
  #key;
  #socket;
  #gathered = 0;
  #mine = 0;
  #timer;

  constructor({ field, key, socket }) {
    this.#field = field;
    this.#key = key;
    this.#socket = socket;
  }

  /** A like of this person, at a place of the picture if it was tapped there. */
  like(point) {
    this.#key.dataset.liked = "";
    this.#rise(point ?? this.#home());
    if (this.#gathered < MOST_IN_A_MESSAGE) this.#gathered += 1;
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** Likes that the room reports; one's own are already on their way up. */
  others(count) {
    const mine = Math.min(this.#mine, count);
    this.#mine -= mine;
    const shown = Math.min(count - mine, MOST_AT_ONCE);
    for (let one = 0; one < shown; one += 1) setTimeout(() => this.#rise(this.#home()), one * 110);
  }

  #flush() {
    this.#timer = undefined;
    const count = this.#gathered;
    this.#gathered = 0;
    this.#mine += count;
    // A lost like is not worth a word.
    this.#socket.send("like", { count }).catch(() => (this.#mine -= count));
  }

  #home() {
    const field = this.#field.getBoundingClientRect();
    const key = this.#key.getBoundingClientRect();
    const x = Math.min(Math.max(key.left + key.width / 2 - field.left, 24), field.width - 24);
    return { x, y: Math.min(key.top - field.top, field.height - 24) };
  }

  #rise({ x, y }) {
    if (document.hidden || this.#field.children.length > (wantsCalm() ? 0 : MOST_IN_SIGHT)) return;
    const heart = icon("heart", "heart");
    heart.style.left = `${x}px`;
    heart.style.top = `${y}px`;
    heart.style.setProperty("--drift", `${Math.round(Math.random() * 56 - 28)}px`);
    heart.style.setProperty("--turn", `${Math.round(Math.random() * 30 - 15)}deg`);
    heart.addEventListener("animationend", () => heart.remove());
    this.#field.append(heart);
  }
}
