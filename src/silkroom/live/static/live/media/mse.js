/** Watching through Media Source Extensions: the same chunks as fMP4 fragments over a WebSocket. */

import { GatewayClock } from "./clock.js";
import { FRAGMENT, INIT, readFrame } from "./frames.js";
import { CLOSE, LastingSocket, viewerVerdict } from "./lasting-socket.js";
import { MediaBuffer, Source } from "./media-buffer.js";

/** With sound, Chromium begins only with so much decoded; a smaller target would run dry again and again. */
const TARGET_SECONDS = 0.16;
const SILENT_TARGET_SECONDS = 0.05;
const FROZEN_MS = 4_000;
const MAX_TROUBLE = 4;

export class MsePlayer {
  /** `onEvent(name, detail)`: playing, stalled, state, failed. */
  constructor({ video, gateway, getTicket, onEvent }) {
    this.#video = video;
    this.#onEvent = onEvent;
    this.#socket = new LastingSocket({
      gateway,
      path: "/gateway/watch",
      query: { mode: "mse" },
      getTicket,
      clock: this.clock,
      handlers: {
        onText: (message) => this.#onText(message),
        onBinary: (buffer) => this.#onFrame(readFrame(buffer)),
        onLost: (detail) => this.#onLost(detail),
        isFinal: (code) => code === CLOSE.NORMAL || code === CLOSE.TOO_SLOW || code === CLOSE.FORBIDDEN,
      },
    });
  }

  clock = new GatewayClock();
  #video;
  #onEvent;
  #socket;
  #buffer = null;
  #mime = "";
  #hasSound = false;
  #init = null;
  #trouble = 0;
  #watchdog = 0;
  #movedAt = 0;
  #lastPosition = 0;
  #arrivedAt = 0;
  #stopped = false;

  static isSupported() {
    return Boolean(Source) && "WebSocket" in window;
  }

  get element() {
    return this.#video;
  }

  get buffer() {
    return this.#buffer;
  }

  get mediaTimeMs() {
    return this.#buffer?.mediaTimeMs ?? null;
  }

  get delayMs() {
    const time = this.mediaTimeMs;
    return time === null ? null : Math.max(0, this.clock.now() - time);
  }

  start() {
    this.#socket.open();
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#watchdog = setInterval(() => this.#watch(), 500);
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#watchdog);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#socket.close();
    this.#buffer?.close();
    this.#buffer = null;
  }

  async setMuted(muted) {
    this.#video.muted = muted;
    if (!muted) await this.#video.play().catch(() => {});
  }

  #onText(message) {
    if (message.type === "state") {
      this.#onEvent("state", { state: message.state });
    } else if (message.type === "config") {
      this.#mime = message.mime;
      this.#hasSound = Boolean(message.audio);
      if (!MediaBuffer.plays(message.mime)) this.#fail(`cannot play ${message.mime}`);
    }
  }

  #onFrame({ kind, time, payload }) {
    if (kind === INIT) {
      this.#init = payload;
      if (this.#buffer && !this.#buffer.change(this.#mime)) this.#drop();
      this.#buffer?.append(payload);
    } else if (kind === FRAGMENT) {
      this.#arrivedAt = performance.now();
      // the gate opens with a key picture, so the first fragment is one; its time becomes the floor
      if (!this.#buffer && this.#init) this.#open(time / 1e6);
      this.#buffer?.append(payload);
    }
  }

  #open(floor) {
    this.#buffer = new MediaBuffer({
      video: this.#video,
      mime: this.#mime,
      floor,
      target: this.#hasSound ? TARGET_SECONDS : SILENT_TARGET_SECONDS,
      onEvent: (name, detail) => (name === "failed" ? this.#onTrouble(detail.reason) : this.#onEvent(name, detail)),
    });
    this.#movedAt = performance.now();
    this.#buffer.append(this.#init);
  }

  #drop() {
    this.#buffer?.close();
    this.#buffer = null;
  }

  /** Start over on a clean buffer; too often: give up. */
  #onTrouble(reason) {
    if (this.#stopped) return;
    this.#drop();
    this.#trouble += 1;
    setTimeout(() => {
      this.#trouble -= 1;
    }, 60_000);
    if (this.#trouble >= MAX_TROUBLE) this.#fail(reason);
    else this.#socket.reconnect();
  }

  #watch() {
    const now = performance.now();
    if (this.#video.currentTime !== this.#lastPosition) {
      this.#lastPosition = this.#video.currentTime;
      this.#movedAt = now;
    }
    const arriving = now - this.#arrivedAt < 1_000;
    if (this.#buffer && arriving && !document.hidden && now - this.#movedAt > FROZEN_MS) this.#onTrouble("frozen");
  }

  #onVisibility = () => {
    if (!document.hidden) this.#movedAt = performance.now();
  };

  #onLost(detail) {
    const verdict = viewerVerdict(this.#socket, detail);
    if (verdict === "ended") {
      this.#buffer?.end();
      this.#onEvent("state", { state: "ended" });
    } else if (verdict) {
      this.#fail(verdict);
    }
  }

  #fail(reason) {
    if (this.#stopped) return;
    this.stop();
    this.#onEvent("failed", { reason });
  }
}
