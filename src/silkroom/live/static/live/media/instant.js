/**
 * The quickest way to watch: encoded chunks over a WebSocket, decoded by WebCodecs onto a canvas. Socket and decoders live
 * in a worker (instant-worker.js), so that a busy page does not make sound stutter; this side has the canvas, the
 * loudspeaker and the tickets.
 */

import { GatewayClock } from "./clock.js";
import { Loudspeaker } from "./sound.js";

const WORKER = new URL("./instant-worker.js", import.meta.url);

export class InstantPlayer {
  /** `onEvent(name, detail)`: picture, state, failed. */
  constructor({ canvas, gateway, getTicket, onEvent }) {
    this.#canvas = canvas;
    this.#getTicket = getTicket;
    this.#onEvent = onEvent;
    this.#worker = new Worker(WORKER, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#onMessage(data);
    this.#worker.onerror = ({ message }) => this.#fail(message || "the worker does not start");
    this.#loudspeaker = new Loudspeaker({ onHeard: (shift) => this.#post({ type: "heard", shift }) });
    this.#context = canvas.getContext("2d", { alpha: false, desynchronized: true });
    const address = new URL(gateway || "/", location.href).href;
    this.#post({ type: "begin", gateway: address, hidden: document.hidden });
  }

  clock = new GatewayClock();
  #canvas;
  #context;
  #getTicket;
  #onEvent;
  #worker;
  #loudspeaker;
  #shown = null;
  #delay = null;

  static isSupported() {
    return "VideoDecoder" in window && "AudioDecoder" in window && Loudspeaker.isSupported();
  }

  get element() {
    return this.#canvas;
  }

  /** Relay time in milliseconds of the picture on screen; null before the first. */
  get mediaTimeMs() {
    return this.#shown;
  }

  /** How long before it was drawn the picture on screen had been captured. */
  get delayMs() {
    return this.#delay;
  }

  /** The loudspeaker, for meters and measurements. */
  get sound() {
    return this.#loudspeaker;
  }

  start() {
    this.#post({ type: "start" });
    document.addEventListener("visibilitychange", this.#onVisibility);
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#worker?.terminate();
    this.#worker = null;
    this.#loudspeaker.close();
  }

  /** Call from a tap. Rejects when the browser does not let sound start. */
  async setMuted(muted) {
    if (!muted) await this.#loudspeaker.start((port) => this.#post({ type: "sound", port }, [port]));
    this.#post({ type: "mute", muted });
    if (muted) await this.#loudspeaker.stop();
  }

  #post(message, transfer = []) {
    this.#worker?.postMessage(message, transfer);
  }

  #onMessage(message) {
    if (message.type === "picture") {
      this.#draw(message);
    } else if (message.type === "state") {
      this.#onEvent("state", { state: message.state });
    } else if (message.type === "clock") {
      this.clock.add(message.sentAt, message.serverMs, message.now);
    } else if (message.type === "ticket") {
      this.#answerTicket(message);
    } else if (message.type === "failed") {
      this.#fail(message.reason);
    }
  }

  #draw({ frame, time }) {
    const { displayWidth: width, displayHeight: height } = frame;
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    this.#context.drawImage(frame, 0, 0, width, height);
    frame.close();
    this.#shown = time / 1000;
    this.#delay = this.clock.isKnown ? Math.max(0, this.clock.now() - this.#shown) : null;
    this.#onEvent("picture");
  }

  async #answerTicket({ number, fresh }) {
    try {
      this.#post({ type: "ticket", number, ticket: await this.#getTicket({ fresh }) });
    } catch {
      this.#post({ type: "ticket", number, ticket: null });
    }
  }

  #onVisibility = () => this.#post({ type: "hidden", hidden: document.hidden });

  #fail(reason) {
    if (!this.#worker) return;
    this.stop();
    this.#onEvent("failed", { reason });
  }
}
