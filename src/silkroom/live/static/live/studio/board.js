/** The board on top: time on air, viewers, orders, money, pieces. */
import { setText } from "../dom.js";
import { piecesLeft } from "../state.js";
import { boardMoney, clock, count } from "../words.js";

const STATES = {
  planned: ["badge", () => gettext("Not on air")],
  rehearsing: ["badge badge--warn", () => gettext("Rehearsal")],
  on_air: ["badge badge--live", () => gettext("On air")],
  interrupted: ["badge badge--warn", () => gettext("Interrupted")],
  ended: ["badge", () => gettext("Ended")],
  cancelled: ["badge", () => gettext("Cancelled")],
};

export class Board {
  #parts;

  constructor(parts) {
    this.#parts = parts;
  }

  update(state) {
    const { state: element, title, pieces } = this.#parts;
    const { broadcast, tray } = state;
    const [look, words] = STATES[broadcast.state];
    element.className = look;
    setText(element, words());
    setText(title, broadcast.title);
    setText(pieces, count(tray.reduce((sum, garment) => sum + piecesLeft(garment), 0)));
  }

  figures({ viewers, orders, paid, money_minor: minor, currency }) {
    const { viewers: viewersPart, orders: ordersPart, paid: paidPart, money } = this.#parts;
    if (viewers !== undefined) setText(viewersPart, count(viewers));
    if (orders !== undefined) setText(ordersPart, count(orders));
    if (paid !== undefined) setText(paidPart, count(paid));
    if (minor !== undefined) setText(money, boardMoney(minor, currency));
  }

  turn(state, nowMs) {
    const { started_at_ms: from, ended_at_ms: to } = state.broadcast;
    setText(this.#parts.time, from === null ? "" : clock((to ?? nowMs) - from, Math.floor));
  }
}
