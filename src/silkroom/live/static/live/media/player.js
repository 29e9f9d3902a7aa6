/**
 * <silk-player>: shows a broadcast in the quickest way that works here: instant, else mse, else llhls.
 *
 *   player.attach({gateway, broadcast, getTicket})   getTicket({fresh}) answers a watch ticket (a promise is fine)
 *   player.setMuted(false)                           from a tap; sound is off until then
 *   player.detach()
 *
 * Attributes: `modes` ("instant mse llhls", the order of preference), `fit` (contain or cover).
 * Properties: mode, state, muted, delayMs (measured from capture to here), mediaTimeMs (relay time on screen).
 * Events: playing, stalled, mode {mode}, state {state: waiting|on_air|paused|ended}, failed {reason}, mutechange {muted}.
 */

import { InstantPlayer } from "./instant.js";
import { LlhlsPlayer } from "./llhls.js";
import { MsePlayer } from "./mse.js";

const WAYS = { instant: InstantPlayer, mse: MsePlayer, llhls: LlhlsPlayer };
const AGAIN_MS = 3_000;
const BETTER_MS = 90_000;
const STALLED_MS = 1_500;

const STYLE = `
  :host { display: block; position: relative; overflow: hidden; background: #000; }
  canvas, video { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
  :host([fit="cover"]) canvas, :host([fit="cover"]) video { object-fit: cover; }
`;

export class SilkPlayer extends HTMLElement {
  #root = this.attachShadow({ mode: "open" });
  #options = null;
  #way = null;
  #mode = "";
  #state = "waiting";
  #muted = true;
  #failed = new Set();
  #timer = 0;
  #watchdog = 0;
  #playing = false;
  #lastTime = null;
  #movedAt = 0;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [sheet];
  }

  get mode() {
    return this.#mode;
  }

  get state() {
    return this.#state;
  }

  get muted() {
    return this.#muted;
  }

  get delayMs() {
    return this.#way?.delayMs ?? null;
  }

  get mediaTimeMs() {
    return this.#way?.mediaTimeMs ?? null;
  }

  /** The player that is at work, for measurements. */
  get way() {
    return this.#way;
  }

  attach({ gateway = "", broadcast, getTicket, modes = null }) {
    this.detach();
    this.#options = { gateway, broadcast: String(broadcast), getTicket };
    this.#modes = modes ?? (this.getAttribute("modes") ?? "instant mse llhls").split(/\s+/).filter(Boolean);
    if (this.isConnected) this.connectedCallback();
  }

  #modes = [];

  detach() {
    this.disconnectedCallback();
    this.#options = null;
    this.#failed.clear();
  }

  connectedCallback() {
    if (!this.#options || this.#way) return;
    this.#watchdog = setInterval(() => this.#watch(), 250);
    addEventListener("online", this.#onOnline);
    this.#choose();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    clearInterval(this.#watchdog);
    removeEventListener("online", this.#onOnline);
    this.#stopWay();
  }

  /** What failed without a network says nothing about this browser. */
  #onOnline = () => {
    if (this.#failed.size) this.#tryBetter();
  };

  /** Sound on or off. Rejects when the browser asks for a tap first; the player then stays muted. */
  async setMuted(muted) {
    const before = this.#muted;
    this.#muted = muted;
    try {
      await this.#way?.setMuted(muted);
    } catch (error) {
      this.#muted = before;
      throw error;
    }
    if (before !== muted) this.#tell("mutechange", { muted });
  }

  #choose() {
    clearTimeout(this.#timer);
    const usable = this.#modes.filter((mode) => WAYS[mode]?.isSupported());
    const mode = usable.find((one) => !this.#failed.has(one));
    if (!mode) {
      // all failed (or none is possible): try again from the top after a while
      this.#failed.clear();
      this.#tell("failed", { reason: usable.length ? "all ways failed" : "not supported" });
      if (usable.length) this.#timer = setTimeout(() => this.#choose(), AGAIN_MS);
      return;
    }
    this.#startWay(mode);
  }

  #startWay(mode) {
    this.#stopWay();
    const element = document.createElement(mode === "instant" ? "canvas" : "video");
    element.setAttribute("part", "picture");
    element.setAttribute("aria-hidden", "true");
    if (mode !== "instant") {
      element.playsInline = true;
      element.muted = true;
      element.autoplay = true;
    }
    this.#root.append(element);
    const way = new WAYS[mode]({
      ...this.#options,
      canvas: element,
      video: element,
      onEvent: (name, detail) => {
        if (this.#way === way) this.#onEvent(name, detail);
      },
    });
    this.#way = way;
    this.#mode = mode;
    this.#playing = false;
    this.#lastTime = null;
    this.#tell("mode", { mode });
    way.start();
    if (!this.#muted) way.setMuted(false).catch(() => this.#silence());
    if (this.#failed.size) this.#timer = setTimeout(() => this.#tryBetter(), BETTER_MS);
  }

  /** The browser refused sound after a change of ways: stay silent rather than stop. */
  #silence() {
    this.#muted = true;
    this.#tell("mutechange", { muted: true });
  }

  #tryBetter() {
    this.#failed.clear();
    if (this.#state !== "ended") this.#choose();
  }

  #stopWay() {
    const way = this.#way;
    this.#way = null;
    this.#mode = "";
    way?.stop();
    way?.element.remove();
  }

  #onEvent(name, detail = {}) {
    if (name === "state") {
      this.#state = detail.state;
      this.#tell("state", { state: detail.state });
    } else if (name === "failed") {
      this.#failed.add(this.#mode);
      this.#choose();
    } else if (!this.#playing) {
      // the first picture is told at once, not when the watchdog looks next
      this.#watch();
    }
  }

  /** Playing or stalled, whatever the way: does the time on screen move? */
  #watch() {
    const now = performance.now();
    const time = this.mediaTimeMs;
    if (time !== null && time !== this.#lastTime) {
      this.#lastTime = time;
      this.#movedAt = now;
      this.#setPlaying(true);
    } else if (now - this.#movedAt > STALLED_MS) {
      this.#setPlaying(false);
    }
  }

  #setPlaying(playing) {
    if (playing === this.#playing) return;
    this.#playing = playing;
    this.#tell(playing ? "playing" : "stalled", { mode: this.#mode });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

customElements.define("silk-player", SilkPlayer);
