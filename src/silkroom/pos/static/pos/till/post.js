/**
 * Handing receipts to the house, each exactly once: it knows them by till and number, so that sending again is always safe.
 * A receipt is on the disk before it is sent, and leaves the queue only when the house has answered for it.
 */

import { isCovered } from "./basket.js";
import { NoAnswer, ask } from "./line.js";
import { changeQueued, confirmReceipt, dropQueued, queueReceipt, queued } from "./store.js";

const AT_ONCE = 50;
const SALE_PATIENCE_MS = 5_000;
const STILL_ASKING_MS = 12_000;
const asking = new Set();

const told = ({ number, shift, sold_at, discount_percent, lines, tenders, is_offline }) => ({
  number, shift, sold_at, discount_percent, tenders, is_offline: Boolean(is_offline),
  lines: lines.map(({ variant, quantity, list_price_minor, unit_price_minor }) => ({ variant, quantity, list_price_minor, unit_price_minor })),
});

/**
 * Sells. With a line the house decides; without one, or if it does not answer, what is booked to the till is sold. Returns
 * the receipt (`state` sent or queued). Throws when nothing was sold.
 */
export async function sell(receipt, { token, variants, online }) {
  const waiting = await queued();
  const covered = isCovered(receipt.lines, variants, waiting);
  const refusal = () => new Error(gettext("No line. These pieces are not booked to this till, so it cannot sell them now. Nothing was sold."));
  if (!online && !covered) throw refusal();
  const made = await queueReceipt({ ...receipt, state: online ? "asking" : "queued", is_offline: !online });
  if (!online) return made;
  asking.add(made.number);
  try {
    const answer = await ask("receipts", { receipts: [told(made)] }, { token, patience: SALE_PATIENCE_MS });
    const [one] = answer.receipts;
    if (one.error) {
      await dropQueued(made);
      throw Object.assign(new Error(one.error.text), { code: one.error.code });
    }
    await confirmReceipt(made);
    return { ...made, state: "sent" };
  } catch (error) {
    if (!(error instanceof NoAnswer)) {
      await dropQueued(made);
      throw error;
    }
    if (!covered) {
      // The house may have heard of it: the number is used up, and what it may have written is undone.
      await changeQueued(made, { state: "void" });
      throw Object.assign(refusal(), { noAnswer: true });
    }
    await changeQueued(made, { state: "queued", is_offline: true });
    return { ...made, state: "queued", is_offline: true, noAnswer: true };
  } finally {
    asking.delete(made.number);
  }
}

/** Is the house being asked about it at this moment, here or in another window? */
const isBeingAsked = (one) => one.state === "asking" && (asking.has(one.number) || Date.now() - one.sold_at < STILL_ASKING_MS);

/**
 * Sends all that waits. What was being asked when the device died counts as sold: the customer may have left with it.
 * Throws NoAnswer, Refused; what the house has answered for until then is done.
 */
export async function sendAll(token, till) {
  let waiting = (await queued()).filter((one) => one.till === till && !isBeingAsked(one));
  while (waiting.length) {
    const part = waiting.slice(0, AT_ONCE);
    const sales = part.filter((one) => one.state !== "void").map((one) => told({ ...one, is_offline: true }));
    const voids = part.filter((one) => one.state === "void").map((one) => one.number);
    const answer = await ask("receipts", { receipts: sales, voids }, { token, patience: 30_000 });
    const byNumber = new Map(part.map((one) => [one.number, one]));
    for (const { number, error } of answer.receipts) {
      const one = byNumber.get(number);
      if (error) await changeQueued(one, { why: error.text, state: "queued", is_offline: true });
      else if (one.state === "void") await dropQueued(one);
      else await confirmReceipt(one);
    }
    waiting = waiting.slice(AT_ONCE);
  }
}
