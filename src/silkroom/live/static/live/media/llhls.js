/**
 * Watching over plain HTTP: LL-HLS. A small loader of our own with blocking reload and preload hints into Media Source
 * Extensions; where the browser has no Media Source, its own HLS player (Safari on older iPhones).
 */

import { GatewayClock, localNow } from "./clock.js";
import { gatewayAddress } from "./frames.js";
import { MediaBuffer, Source } from "./media-buffer.js";
import { readPlaylist } from "./playlist.js";

const MIME = 'video/mp4; codecs="avc1.64001F,mp4a.40.2"';
const HLS = "application/vnd.apple.mpegurl";
const RETRY_MS = [200, 500, 1_000, 2_000, 4_000];
const MAX_FAILURES = 20;
const FROZEN_MS = 6_000;
/**
 * The least that should wait, just before the next part comes. With the part under way and its transport that is about the
 * hold-back of three parts.
 */
const TARGET_SECONDS = 0.25;

class Refused extends Error {
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

export class LlhlsPlayer {
  /** `onEvent(name, detail)`: playing, stalled, state, failed. `getTicket` may answer "" for a public show. */
  constructor({ video, gateway, broadcast, getTicket, onEvent }) {
    this.#video = video;
    this.#base = gatewayAddress(gateway, `/gateway/hls/${encodeURIComponent(broadcast)}/`);
    this.#getTicket = getTicket;
    this.#onEvent = onEvent;
  }

  clock = new GatewayClock();
  #video;
  #base;
  #getTicket;
  #onEvent;
  #buffer = null;
  #abort = new AbortController();
  #ticket = "";
  #map = "";
  #native = false;
  #movedAt = performance.now();
  #lastPosition = 0;
  #watchdog = 0;
  #restart = false;
  #stopped = false;
  #state = "waiting";

  static isSupported() {
    return MediaBuffer.plays(MIME) || document.createElement("video").canPlayType(HLS) !== "";
  }

  get element() {
    return this.#video;
  }

  get buffer() {
    return this.#buffer;
  }

  get mediaTimeMs() {
    if (!this.#native) return this.#buffer?.mediaTimeMs ?? null;
    const start = this.#video.getStartDate?.().getTime();
    return Number.isFinite(start) ? start + this.#video.currentTime * 1000 : null;
  }

  get delayMs() {
    const time = this.mediaTimeMs;
    return time === null ? null : Math.max(0, this.clock.now() - time);
  }

  start() {
    if (Source && MediaBuffer.plays(MIME)) {
      this.#run();
      this.#watchdog = setInterval(() => this.#watch(), 500);
    } else {
      this.#startNative();
    }
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#watchdog);
    this.#abort.abort();
    this.#buffer?.close();
    this.#buffer = null;
    if (this.#native) {
      this.#video.removeAttribute("src");
      this.#video.load();
    }
  }

  async setMuted(muted) {
    this.#video.muted = muted;
    if (!muted) await this.#video.play().catch(() => {});
  }

  async #startNative() {
    this.#native = true;
    const video = this.#video;
    try {
      this.#ticket = await this.#getTicket({ fresh: false });
    } catch {
      this.#fail("ticket");
      return;
    }
    video.onplaying = () => {
      this.#setState("on_air");
      this.#onEvent("playing");
    };
    video.onwaiting = () => this.#onEvent("stalled");
    video.onended = () => this.#setState("ended");
    video.onerror = () => this.#fail(video.error?.message || "media error");
    video.src = this.#address("master.m3u8").href;
    await video.play().catch(() => {});
  }

  async #run() {
    let failures = 0;
    while (!this.#stopped) {
      try {
        this.#ticket = (await this.#getTicket({ fresh: failures > 0 })) ?? "";
        await this.#follow(() => {
          failures = 0;
        });
        this.#setState("ended");
        this.#buffer?.end();
        return;
      } catch (error) {
        if (this.#stopped) return;
        failures += 1;
        if (failures > MAX_FAILURES) {
          this.#fail(error.message);
          return;
        }
        // 503: on air but paused; 404: not yet on air
        if (error.status === 503 || error.status === 404) this.#setState(error.status === 503 ? "paused" : "waiting");
        await pause(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
      }
    }
  }

  /** From a part near the edge on, until the list ends. Throws when something cannot be fetched. */
  async #follow(progressed) {
    let list = await this.#reload();
    let next = startPart(list);
    if (!next) throw new Refused(404);
    this.#restart = false;
    let hinted = null;
    for (;;) {
      const fresh = list.parts.filter((part) => isAtOrAfter(part, next));
      if (fresh.length && fresh[0].number > next.number + 1) throw new Error("fell out of the list");
      for (const part of fresh) {
        const early = hinted?.url === part.url ? hinted.data : this.#bytes(part.url);
        await this.#append(part, await early);
        next = following(part);
        progressed();
      }
      this.#setState("on_air");
      if (list.ended && !list.hint) return;
      if (this.#restart) throw new Error("frozen");
      // the hinted part and the list that names it are waited for together
      hinted = list.hint && { url: list.hint.url, data: this.#bytes(list.hint.url) };
      hinted?.data.catch(() => {});
      list = await this.#reload(list.hint ?? next);
    }
  }

  async #append(part, data) {
    if (!this.#buffer || part.discontinuity) this.#openAt(part);
    if (!this.#buffer) return;
    if (part.map !== this.#map) {
      const init = await this.#bytes(part.map);
      this.#map = part.map;
      this.#buffer?.append(new Uint8Array(init));
    }
    this.#buffer?.append(new Uint8Array(data));
  }

  /** Relay time is on one line also across a discontinuity, so the buffer goes on; only its first part opens it. */
  #openAt(part) {
    if (this.#buffer) return;
    this.#map = "";
    this.#movedAt = performance.now();
    this.#buffer = new MediaBuffer({
      video: this.#video,
      mime: MIME,
      floor: part.startMs / 1000,
      target: TARGET_SECONDS,
      onEvent: (name, detail) => {
        if (name !== "failed") {
          this.#onEvent(name, detail);
          return;
        }
        this.#buffer = null;
        this.#restart = true;
      },
    });
  }

  async #reload(wanted = null) {
    const url = this.#address("media.m3u8");
    if (wanted) {
      url.searchParams.set("_HLS_msn", wanted.number);
      url.searchParams.set("_HLS_part", wanted.index);
    }
    const sentAt = localNow();
    const response = await this.#fetch(url);
    const text = await response.text();
    // a blocking answer says nothing about the clock: it was held back on purpose
    const serverMs = wanted ? NaN : Number(response.headers.get("X-Now-Ms") ?? NaN);
    if (Number.isFinite(serverMs)) this.clock.add(sentAt, serverMs);
    return readPlaylist(text, url);
  }

  async #bytes(url) {
    return (await this.#fetch(url)).arrayBuffer();
  }

  async #fetch(url) {
    const timeout = AbortSignal.timeout(15_000);
    const signal = AbortSignal.any ? AbortSignal.any([this.#abort.signal, timeout]) : this.#abort.signal;
    const response = await fetch(url, { signal, credentials: "omit" });
    if (!response.ok) throw new Refused(response.status);
    return response;
  }

  #address(name) {
    const url = new URL(name, this.#base);
    if (this.#ticket) url.searchParams.set("ticket", this.#ticket);
    return url;
  }

  #watch() {
    const now = performance.now();
    if (this.#video.currentTime !== this.#lastPosition || document.hidden || this.#state !== "on_air") {
      this.#lastPosition = this.#video.currentTime;
      this.#movedAt = now;
    }
    if (this.#buffer && now - this.#movedAt > FROZEN_MS) {
      this.#buffer.close();
      this.#buffer = null;
      this.#restart = true;
      this.#movedAt = now;
    }
  }

  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#onEvent("state", { state });
  }

  #fail(reason) {
    if (this.#stopped) return;
    this.stop();
    this.#onEvent("failed", { reason });
  }
}

/** The last independent part that leaves at least the hold-back, else the last independent one. */
function startPart(list) {
  let behind = 0;
  let found = null;
  for (const part of [...list.parts].reverse()) {
    behind += part.duration;
    if (!part.independent) continue;
    found = part;
    if (behind >= list.holdBack) break;
  }
  return found;
}

function isAtOrAfter(part, next) {
  if (part.number !== next.number) return part.number > next.number;
  // a whole segment where single parts were expected: only useful from its start
  return part.index === null ? next.index === 0 : part.index >= next.index;
}

function following(part) {
  return part.index === null ? { number: part.number + 1, index: 0 } : { number: part.number, index: part.index + 1 };
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
