/**
 * The connection of a page to its room: keeps the room's state, and keeps itself alive.
 *
 * Says hello with the last sequence number it has, gets what it missed (or a whole snapshot), and from then on every event
 * once and in order. Lost lines are made again with growing pauses; a ticket that ran out is renewed by the web process.
 *
 * Protocol and state: live/room/README.md. Events: `state` {state, events, fresh}, `welcome` {you, muted, viewers},
 * `pulse` {viewers}, `board` {orders, …}, `line` {line: "joining" | "live" | "lost" | "refused"}.
 */
import { applyEvents } from "./state.js";
import { RequestError } from "./http.js";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
const PING_MS = 15_000;
const SILENCE_MS = 40_000; // two pings and a half without a word: the line is dead, whatever the browser thinks
const REPLY_MS = 10_000;

const FRESH_MS = 30_000; // a ticket this young is not why the gateway says no
const RENEW_BEFORE_MS = 60_000; // of the ticket's end; the ticket itself holds for ten minutes

/** Close codes after which the same page need not try again. */
const FINAL = new Set([4400, 4403, 4404, 4413]);
const TICKET_EXPIRED = 4401;
const RESTART = 4503;

/** Told to whoever waits for a reply when the line breaks: the message may or may not have arrived. */
const lineLost = () => new RequestError("line_lost", gettext("The line broke. Try once more."));

export class RoomSocket extends EventTarget {
  #url;
  #ticket;
  #renew;
  #socket;
  #waiting = new Map();
  #nextId = 1;
  #attempts = 0;
  #timer;
  #pinger;
  #renewal;
  #heardAt = 0;
  #sentAt = new Map();
  #closed = false;
  #staleTicket = false;
  #renewedAt = -Infinity;

  /** `renew()` resolves to a fresh ticket. `state` and `sequence` may come with the page, then the first hello resumes. */
  constructor({ url, ticket, renew, state = null, sequence = 0, nowMs }) {
    super();
    this.#url = url;
    this.#ticket = ticket;
    this.#renew = renew;
    this.state = state;
    this.sequence = state ? sequence : 0;
    this.line = "joining";
    /** Server's clock minus ours, in milliseconds, as well as the shortest round trip told. */
    this.clockOffset = nowMs === undefined ? 0 : nowMs - Date.now();
    this.roundTrip = Infinity;
  }

  /** Now by the server's clock. */
  now() {
    return Date.now() + this.clockOffset;
  }

  open() {
    addEventListener("online", this.#hurry);
    document.addEventListener("visibilitychange", this.#hurry);
    this.#connect();
  }

  close() {
    this.#closed = true;
    removeEventListener("online", this.#hurry);
    document.removeEventListener("visibilitychange", this.#hurry);
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  /** Takes a new ticket (a name was chosen, somebody signed in) and comes back as that person. */
  async rejoin(ticket) {
    this.#ticket = ticket ?? (await this.#renew());
    this.#staleTicket = false;
    this.#drop();
    this.#connect();
  }

  /**
   * Sends a message and resolves to its reply. With `again` it is sent once more after a lost line, because the server
   * knows it by its key and does nothing twice; without, the promise is rejected with `line_lost`.
   */
  send(type, fields = {}, { again = false, timeout = REPLY_MS } = {}) {
    const id = String(this.#nextId++);
    const message = JSON.stringify({ type, id, ...fields });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new RequestError("no_reply", gettext("No answer came. Try once more.")));
      }, again ? timeout * 3 : timeout);
      this.#waiting.set(id, { message, again, resolve, reject, timer });
      if (this.line === "live") this.#socket.send(message);
      else if (!again) this.#settle(id, "reject", lineLost());
    });
  }

  #settle(id, how, value) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting[how](value);
  }

  #setLine(line) {
    if (this.line === line) return;
    this.line = line;
    this.dispatchEvent(new CustomEvent("line", { detail: { line } }));
  }

  #hurry = () => {
    if (document.visibilityState === "hidden" || this.#closed || this.line === "live") return;
    this.#attempts = 0;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), 0);
  };

  async #connect() {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    if (this.#staleTicket) {
      try {
        this.#ticket = await this.#renew();
        this.#renewedAt = performance.now();
        this.#staleTicket = false;
      } catch (error) {
        if (error.status === 403 || error.status === 404) this.#setLine("refused");
        else this.#later();
        return;
      }
    }
    this.#drop();
    const url = new URL(this.#url);
    url.searchParams.set("ticket", this.#ticket);
    const socket = new WebSocket(url);
    this.#socket = socket;
    let greeted = false;
    socket.onopen = () => {
      const language = document.documentElement.lang.startsWith("zh") ? "zh-hans" : "en";
      socket.send(JSON.stringify({ type: "hello", after: this.state ? this.sequence : null, language }));
      this.#heardAt = performance.now();
      this.#pinger = setInterval(() => this.#ping(), PING_MS);
      this.#ping();
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket || typeof data !== "string") return;
      this.#heardAt = performance.now();
      this.#receive(JSON.parse(data));
      if (!greeted && this.line === "live") {
        greeted = true;
        this.#attempts = 0;
        for (const { message, again } of this.#waiting.values()) if (again) socket.send(message);
      }
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#drop();
      // A refusal before the upgrade and a gateway that is away both look like 1006. The second time in a row a fresh
      // ticket is asked for, but not at every turn: a whole room would ask the web process for tickets at once.
      const puzzled = code === 1006 && !greeted && this.#attempts > 0 && performance.now() - this.#renewedAt > FRESH_MS;
      this.#staleTicket = code === TICKET_EXPIRED || puzzled;
      if (FINAL.has(code)) this.#setLine("refused");
      else {
        if (code === RESTART) this.#attempts = 0;
        this.#setLine("lost");
        this.#later();
      }
    };
  }

  /** Forgets the socket in hand without hearing more of it. Whoever waits for a reply learns that the line is lost. */
  #drop() {
    clearInterval(this.#pinger);
    clearTimeout(this.#renewal);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(1000);
    for (const [id, { again }] of [...this.#waiting]) if (!again) this.#settle(id, "reject", lineLost());
    if (this.line === "live") this.#setLine("lost");
  }

  #later() {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    // A whole room comes back after a restart: the random half keeps it from coming in one moment.
    this.#timer = setTimeout(() => this.#connect(), pause / 2 + Math.random() * (pause / 2));
  }

  #ping() {
    if (performance.now() - this.#heardAt > SILENCE_MS) {
      this.#drop();
      this.#later();
      return;
    }
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const id = `p${this.#nextId++}`;
    this.#sentAt.clear();
    this.#sentAt.set(id, performance.now());
    this.#socket.send(JSON.stringify({ type: "ping", id }));
  }

  #pong(message) {
    const sent = this.#sentAt.get(message.id);
    if (sent === undefined) return;
    this.#sentAt.clear();
    const trip = performance.now() - sent;
    // The quickest round trip knows the clock best. It is forgotten slowly, because computers drift and move.
    if (trip <= this.roundTrip * 1.2) {
      this.roundTrip = trip;
      this.clockOffset = message.now_ms + trip / 2 - Date.now();
    }
  }

  #welcome(message) {
    this.you = message.you;
    if (this.roundTrip === Infinity) this.clockOffset = message.now_ms - Date.now();
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => this.#extend(), Math.max(5_000, message.expires_at_ms - message.now_ms - RENEW_BEFORE_MS));
    // With a state in hand only the events since then follow, and perhaps none; without one a snapshot follows.
    if (this.state) this.#setLine("live");
    this.dispatchEvent(new CustomEvent("welcome", { detail: message }));
    this.dispatchEvent(new CustomEvent("pulse", { detail: message }));
  }

  /** A fresh ticket over the open line, so that nobody is sent out of the room for having stayed long. */
  async #extend() {
    try {
      this.#ticket = await this.#renew();
      const { expires_at_ms: until } = await this.send("renew", { ticket: this.#ticket });
      this.#renewal = setTimeout(() => this.#extend(), Math.max(5_000, until - this.now() - RENEW_BEFORE_MS));
    } catch {
      // The line stays as it is; when the ticket ends the server closes it with 4401, and the page comes back with a new one.
    }
  }

  #receive(message) {
    switch (message.type) {
      case "snapshot":
        this.state = message.state;
        this.sequence = message.sequence;
        this.#setLine("live");
        this.#tell([], true);
        break;
      case "events":
        this.#events(message.events);
        break;
      case "welcome":
        this.#welcome(message);
        break;
      case "pulse":
      case "board":
        this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
        break;
      case "pong":
        this.#pong(message);
        break;
      case "reply":
        this.#settle(message.id, "resolve", message);
        break;
      case "error":
        this.#settle(message.id, "reject", new RequestError(message.code, message.text, 0, message.data ?? {}));
        break;
    }
  }

  #events(events) {
    const news = events.filter((event) => event.n > this.sequence);
    if (!this.state || (news.length && news[0].n !== this.sequence + 1)) {
      // Something is missing, which the server never lets happen: start from a whole snapshot.
      this.state = null;
      this.sequence = 0;
      this.#drop();
      this.#later();
      return;
    }
    if (news.length) {
      this.state = applyEvents(this.state, news);
      this.sequence = news.at(-1).n;
    }
    this.#setLine("live");
    if (news.length) this.#tell(news, false);
  }

  #tell(events, fresh) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state: this.state, events, fresh } }));
  }
}
