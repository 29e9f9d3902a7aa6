/**
 * A <video> fed through Media Source Extensions and kept near the live edge: appends in order, trims, jumps over gaps,
 * plays a little faster when it is behind. Used by the mse and llhls players.
 */

export const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;

const KEEP_SECONDS = 8;
const LOOK_MS = 50;
/** Behind by so much more than wanted: playing faster would take too long, jump. */
const JUMP_SECONDS = 2.5;
/** At the start, what was there already comes in a burst: jump over it rather than run after the edge for seconds. */
const SETTLE_MS = 2_000;
const SETTLE_JUMP_SECONDS = 0.4;
const WAITED_MS = 500;
const MAX_TARGET = 1.5;
const CALM_MS = 6_000;
const MAX_QUEUE = 600;

export class MediaBuffer {
  /**
   * `target`: seconds of video that should wait, grows by itself when it runs dry. `floor` seconds are subtracted from
   * all times (relay time counts from 1970, a <video> counts better from near zero).
   * `onEvent(name, detail)`: playing, stalled, failed.
   */
  constructor({ video, mime, floor, target, onEvent }) {
    this.#video = video;
    this.#mime = mime;
    this.#floor = floor;
    this.#least = target;
    this.#target = target;
    this.#onEvent = onEvent;
    this.#source = new Source();
    // ManagedMediaSource only opens when casting is out of the question
    video.disableRemotePlayback = true;
    this.#url = URL.createObjectURL(this.#source);
    video.src = this.#url;
    this.#source.addEventListener("sourceopen", () => this.#onOpen(), { once: true });
    video.addEventListener("waiting", this.#onWaiting);
    video.addEventListener("playing", this.#onPlaying);
    video.addEventListener("error", this.#onError);
    this.#timer = setInterval(() => this.#steer(), LOOK_MS);
  }

  #video;
  #mime;
  #floor;
  #least;
  #target;
  #onEvent;
  #source;
  #url;
  #buffer = null;
  #queue = [];
  #timer;
  #started = false;
  #startedAt = 0;
  #calmSince = performance.now();
  #heldSince = 0;
  #waited = [];
  #closed = false;

  /** Whether this browser plays such a stream. */
  static plays(mime) {
    return Boolean(Source?.isTypeSupported(mime));
  }

  get target() {
    return this.#target;
  }

  /** Relay time in milliseconds of what is on screen; null before the start. */
  get mediaTimeMs() {
    return this.#started ? (this.#video.currentTime + this.#floor) * 1000 : null;
  }

  get mime() {
    return this.#mime;
  }

  append(data) {
    this.#queue.push(data);
    if (this.#queue.length > MAX_QUEUE) this.#fail("appending is too slow");
    this.#flush();
  }

  /** Another codec or size from here on; its initialisation segment follows. False: a new MediaBuffer is needed. */
  change(mime) {
    if (mime === this.#mime) return true;
    if (!this.#buffer?.changeType || !MediaBuffer.plays(mime)) return false;
    this.#queue.push({ mime });
    this.#mime = mime;
    this.#flush();
    return true;
  }

  end() {
    if (this.#source.readyState === "open" && !this.#buffer?.updating) this.#source.endOfStream();
  }

  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    const video = this.#video;
    video.removeEventListener("waiting", this.#onWaiting);
    video.removeEventListener("playing", this.#onPlaying);
    video.removeEventListener("error", this.#onError);
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(this.#url);
  }

  #onOpen() {
    try {
      this.#source.duration = Infinity;
      this.#buffer = this.#source.addSourceBuffer(this.#mime);
      this.#buffer.mode = "segments";
      this.#buffer.timestampOffset = -this.#floor;
      this.#buffer.addEventListener("updateend", () => this.#flush());
    } catch (error) {
      this.#fail(error.message);
      return;
    }
    this.#flush();
  }

  #flush() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || !this.#queue.length || this.#source.readyState !== "open") return;
    if (this.#queue[0].mime) {
      buffer.changeType(this.#queue.shift().mime);
      this.#flush();
      return;
    }
    let count = this.#queue.findIndex((one) => one.mime);
    if (count < 0) count = this.#queue.length;
    const data = join(this.#queue.splice(0, count));
    try {
      buffer.appendBuffer(data);
    } catch (error) {
      if (error.name !== "QuotaExceededError") {
        this.#fail(error.message);
        return;
      }
      this.#queue.unshift(data);
      this.#trim(1);
    }
  }

  #trim(keep) {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || !buffer.buffered.length) return;
    const end = this.#video.currentTime - keep;
    if (end - buffer.buffered.start(0) > keep) buffer.remove(0, end);
  }

  #steer() {
    const video = this.#video;
    const ranges = this.#buffer?.buffered;
    if (!ranges?.length || this.#closed) return;
    const edge = ranges.end(ranges.length - 1);
    const first = ranges.start(ranges.length - 1);
    if (!this.#started) {
      if (edge - first < Math.min(this.#target, 0.5)) return;
      this.#started = true;
      this.#startedAt = performance.now();
      video.currentTime = Math.max(first, edge - this.#target);
    }
    if (video.paused && !video.ended) video.play().catch(() => {});
    if (!this.#jumpGap(ranges)) this.#chase(edge, first);
    this.#trim(KEEP_SECONDS);
    if (performance.now() - this.#calmSince > CALM_MS) {
      this.#target = Math.max(this.#least, this.#target * 0.9);
      this.#calmSince = performance.now();
    }
  }

  /** Nothing can be played at the position but there is something after it: a hole that lost chunks have left. */
  #jumpGap(ranges) {
    const now = this.#video.currentTime;
    // at the end of a range the decoder may already lack what it needs for the next picture
    const starved = this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    const margin = starved ? 0.3 : 0.02;
    for (let index = 0; index < ranges.length; index += 1) {
      if (now < ranges.start(index)) {
        this.#video.currentTime = ranges.start(index) + 0.001;
        return true;
      }
      if (now < ranges.end(index) - margin) return false;
    }
    return false;
  }

  #chase(edge, first) {
    const video = this.#video;
    // the edge moves on in steps: the least that waited lately counts, as that is what must not run out
    const now = performance.now();
    this.#waited.push({ now, seconds: edge - video.currentTime });
    while (now - this.#waited[0].now > WAITED_MS) this.#waited.shift();
    const excess = Math.min(...this.#waited.map((one) => one.seconds)) - this.#target;
    if (excess > (now - this.#startedAt < SETTLE_MS ? SETTLE_JUMP_SECONDS : JUMP_SECONDS)) {
      this.#waited = [];
      video.currentTime = Math.max(first, edge - this.#target);
      return;
    }
    let rate = video.playbackRate;
    if (excess > 0.3) rate = 1.25;
    else if (excess > 0.12) rate = 1.12;
    else if (excess > 0.05) rate = Math.max(rate, 1.05);
    else if (excess < 0.015) rate = 1;
    if (rate !== video.playbackRate) video.playbackRate = rate;
  }

  #onWaiting = () => {
    // the first wait is the start itself
    if (!this.#started) return;
    const now = performance.now();
    if (now - this.#heldSince > 1_000) {
      this.#target = Math.min(MAX_TARGET, this.#target + Math.max(0.02, this.#target * 0.15));
      this.#heldSince = now;
    }
    this.#calmSince = now;
    this.#onEvent("stalled");
  };

  #onPlaying = () => this.#onEvent("playing");

  #onError = () => this.#fail(this.#video.error?.message || "media error");

  #fail(reason) {
    if (this.#closed) return;
    this.close();
    this.#onEvent("failed", { reason });
  }
}

function join(pieces) {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(pieces.reduce((sum, one) => sum + one.byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}
