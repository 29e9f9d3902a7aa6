/** The gateway's clock, estimated from pings. All times in milliseconds since 1970, with fractions. */

/** This machine's clock; steadier than Date.now(), which can be set while the page is open. */
export function localNow() {
  return performance.timeOrigin + performance.now();
}

const KEPT = 12;

export class GatewayClock {
  #samples = [];
  #offset = 0;

  /** True once a ping came back. */
  get isKnown() {
    return this.#samples.length > 0;
  }

  /** Gateway's clock minus this machine's. */
  get offset() {
    return this.#offset;
  }

  now() {
    return localNow() + this.#offset;
  }

  /** A pong: when the ping was sent, what the gateway's clock said, when it came. The quickest round trip tells best. */
  add(sentAt, serverMs, now = localNow()) {
    const roundTrip = now - sentAt;
    if (!(roundTrip >= 0) || roundTrip > 10_000) return;
    this.#samples.push({ roundTrip, offset: serverMs - (sentAt + now) / 2 });
    if (this.#samples.length > KEPT) this.#samples.shift();
    this.#offset = this.#samples.reduce((best, one) => (one.roundTrip < best.roundTrip ? one : best)).offset;
  }
}
