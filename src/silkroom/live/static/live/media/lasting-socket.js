/**
 * A WebSocket to the gateway that comes back by itself: backoff, a fresh ticket for each attempt, pings that measure the
 * gateway's clock and notice a dead line.
 */

import { localNow } from "./clock.js";
import { socketAddress } from "./frames.js";

export const CLOSE = {
  NORMAL: 1000,
  MALFORMED: 4400,
  TICKET_EXPIRED: 4401,
  FORBIDDEN: 4403,
  NO_SUCH_BROADCAST: 4404,
  REPLACED: 4409,
  TOO_LARGE: 4413,
  TOO_FAST: 4429,
  GOING_AWAY: 4503,
  TOO_SLOW: 4508,
};

/** After so many failures in a row a viewer tries another way; sooner when no line was ever open. */
const GIVE_UP_ATTEMPTS = 10;
const NEVER_OPEN_ATTEMPTS = 4;

/** What a viewer makes of a lost line: "ended", a reason to fail, or null when the socket comes back by itself. */
export function viewerVerdict(socket, { code, retryMs, attempts }) {
  if (retryMs === null) return code === CLOSE.NORMAL ? "ended" : code === CLOSE.TOO_SLOW ? "too slow" : "refused";
  if (attempts >= (socket.wasOpen ? GIVE_UP_ATTEMPTS : NEVER_OPEN_ATTEMPTS)) return "no connection";
  return null;
}

const PING_MS = 2_000;
const FIRST_PINGS_MS = [0, 60, 180];
const DEAD_MS = 6_000;
const BACKOFF_MS = [100, 300, 800, 2_000, 4_000];

export class LastingSocket {
  /**
   * `handlers`: onOpen(), onText(message), onBinary(buffer), onLost({code, reason, retryMs, attempts}) and isFinal(code)
   * which says after which codes not to come back. `attempts` counts failures in a row; `retryMs` is null after the last.
   */
  constructor({ gateway, path, query = {}, getTicket, clock, handlers }) {
    this.clock = clock;
    this.#gateway = gateway;
    this.#path = path;
    this.#query = query;
    this.#getTicket = getTicket;
    this.#handlers = handlers;
  }

  #gateway;
  #path;
  #query;
  #getTicket;
  #handlers;
  #socket = null;
  #timers = [];
  #attempt = 0;
  #heardAt = 0;
  #wanted = false;
  #freshTicket = false;
  #connecting = false;
  #retry = 0;

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get bufferedAmount() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  open() {
    if (this.#wanted) return;
    this.#wanted = true;
    addEventListener("online", this.#onOnline);
    this.#connect();
  }

  close() {
    this.#wanted = false;
    removeEventListener("online", this.#onOnline);
    clearTimeout(this.#retry);
    this.#drop(CLOSE.NORMAL, "");
  }

  /** Whether a line was ever open: if not, something on the way may not let WebSockets through. */
  get wasOpen() {
    return this.#wasOpen;
  }

  #wasOpen = false;

  /** Give the line up and take a new one now. */
  reconnect() {
    if (!this.#wanted) return;
    this.#drop(4000, "reconnect");
    this.#lost({ code: 4000, reason: "reconnect" });
  }

  sendText(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }

  sendBinary(buffer) {
    if (this.isOpen) this.#socket.send(buffer);
  }

  #onOnline = () => {
    this.#attempt = 0;
    if (this.#wanted && !this.#socket) this.#connect();
  };

  async #connect() {
    clearTimeout(this.#retry);
    if (this.#connecting || this.#socket) return;
    this.#connecting = true;
    let ticket;
    try {
      ticket = await this.#getTicket({ fresh: this.#freshTicket });
    } catch {
      this.#connecting = false;
      this.#lost({ code: 0, reason: "ticket" });
      return;
    }
    this.#connecting = false;
    if (!this.#wanted) return;
    // without WebSocket at all this throws, and counts as a line that cannot be opened
    const socket = new WebSocket(socketAddress(this.#gateway, this.#path, { ...this.#query, ticket }));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#heardAt = localNow();
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = this.#wasOpen = true;
      this.#freshTicket = false;
      this.#startPings();
      this.#handlers.onOpen?.();
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = localNow();
      if (typeof data !== "string") {
        this.#handlers.onBinary?.(data);
        return;
      }
      const message = JSON.parse(data);
      if (message.type === "pong") this.clock.add(message.client_ms, message.server_ms, this.#heardAt);
      // a line that was merely opened and refused again is no success
      if (message.type !== "error") this.#attempt = 0;
      this.#handlers.onText?.(message);
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#drop();
      // a refusal before the upgrade is not told to pages: the ticket is the likeliest cause
      if (!wasOpen || code === CLOSE.TICKET_EXPIRED) this.#freshTicket = true;
      this.#lost({ code, reason });
    };
    this.#timers.push(setInterval(() => this.#watch(), 1_000));
  }

  #startPings() {
    const ping = () => this.sendText({ type: "ping", client_ms: localNow() });
    for (const wait of FIRST_PINGS_MS) this.#timers.push(setTimeout(ping, wait));
    this.#timers.push(setInterval(ping, PING_MS));
  }

  #watch() {
    if (this.#socket && localNow() - this.#heardAt > DEAD_MS) this.reconnect();
  }

  #drop(code, reason) {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (socket.readyState <= WebSocket.OPEN) socket.close(code, reason);
  }

  #lost({ code, reason }) {
    if (!this.#wanted) return;
    if (this.#handlers.isFinal?.(code)) {
      this.#wanted = false;
      removeEventListener("online", this.#onOnline);
      this.#handlers.onLost?.({ code, reason, retryMs: null, attempts: this.#attempt });
      return;
    }
    const step = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)];
    this.#attempt += 1;
    const retryMs = step * (0.75 + Math.random() / 2);
    this.#retry = setTimeout(() => this.#connect(), retryMs);
    this.#handlers.onLost?.({ code, reason, retryMs, attempts: this.#attempt });
  }
}
