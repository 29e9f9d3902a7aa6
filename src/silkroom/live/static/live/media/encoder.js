/**
 * The studio's sender: a MediaStream (camera and microphone, or a file's <video>.captureStream()) goes to the gateway.
 *
 *   const publisher = new MediaPublisher({gateway, getTicket, fps: 30, bitrate: 2_000_000, maxSide: 1280});
 *   publisher.addEventListener("state", ({detail}) => …);   idle, connecting, sending, reconnecting, stopped, failed
 *   publisher.addEventListener("stats", ({detail}) => …);   {bitsPerSecond, lateMs, viewers, bitrate, dropped, source}
 *   await publisher.start(stream);    publisher.setStream(other);    publisher.stop();
 *
 * getTicket({fresh}) answers an ingest ticket. WebCodecs is used where it is, else MediaRecorder.
 */

import { GatewayClock } from "./clock.js";
import { SoundCapture, VideoCapture } from "./capture.js";
import { PictureEncoder, SoundEncoder } from "./encoders.js";
import { DELTA, KEY, SOUND, newFrame, toBase64 } from "./frames.js";
import { CLOSE, LastingSocket } from "./lasting-socket.js";
import { RecorderSource } from "./recorder.js";

const FINAL = new Set([CLOSE.NORMAL, CLOSE.REPLACED, CLOSE.FORBIDDEN, CLOSE.MALFORMED, CLOSE.TOO_LARGE]);
/** Seconds of video that may wait in the browser's socket: fewer bits from the first on, no pictures from the second on. */
const SLOW_SECONDS = 0.4;
const STUCK_SECONDS = 1.2;
const CLOCK_WAIT_MS = 400;
const CLOCK_EVERY_MS = 5_000;

export class MediaPublisher extends EventTarget {
  constructor({ gateway = "", getTicket, fps = 30, bitrate = 2_000_000, maxSide = 1280 }) {
    super();
    this.#fps = fps;
    this.#bitrate = bitrate;
    this.#maxSide = maxSide;
    this.#socket = new LastingSocket({
      gateway,
      path: "/gateway/ingest",
      getTicket,
      clock: this.clock,
      handlers: {
        onOpen: () => this.#onOpen(),
        onText: (message) => this.#onText(message),
        onLost: (detail) => this.#onLost(detail),
        isFinal: (code) => FINAL.has(code),
      },
    });
  }

  clock = new GatewayClock();
  #fps;
  #bitrate;
  #maxSide;
  #socket;
  #state = "idle";
  #stream = null;
  #video = null;
  #audio = null;
  #pictures = null;
  #sounds = null;
  #recorder = null;
  #videoConfig = null;
  #audioConfig = null;
  #configSent = false;
  #ready = false;
  #needsKey = true;
  #stats = {};

  get state() {
    return this.#state;
  }

  get stream() {
    return this.#stream;
  }

  /** What the last `stats` event said. */
  get stats() {
    return this.#stats;
  }

  /** "webcodecs", "matroska", "mp4" or "" before the start. */
  get source() {
    return this.#recorder ? this.#recorder.container : this.#pictures ? "webcodecs" : "";
  }

  /** Whether this browser can send at all. */
  static async isSupported() {
    const usual = { width: 1280, height: 720, fps: 30, bitrate: 2_000_000 };
    return (await PictureEncoder.isSupported(usual)) || RecorderSource.isSupported();
  }

  async start(stream) {
    this.#setState("connecting");
    await this.#open(stream);
    this.#socket.open();
  }

  /** Another camera, another file: viewers keep their connection and see the new picture from its first key frame on. */
  async setStream(stream) {
    this.#closeSource();
    await this.#open(stream);
  }

  stop() {
    this.#closeSource();
    this.#socket.close();
    this.#ready = this.#configSent = false;
    this.#setState("stopped");
  }

  /** Ask the encoder for a key frame now. */
  requestKeyFrame() {
    this.#pictures?.requestKey();
  }

  async #open(stream) {
    this.#stream = stream;
    this.#videoConfig = this.#audioConfig = null;
    this.#configSent = false;
    const [video] = stream.getVideoTracks();
    const [audio] = stream.getAudioTracks();
    const { width = 1280, height = 720 } = video.getSettings();
    const wanted = { width: even(width), height: even(height), fps: this.#fps, bitrate: this.#bitrate };
    const soundWorks = !audio || SoundEncoder.isSupported();
    if (soundWorks && (await PictureEncoder.isSupported(wanted))) this.#openEncoders(video, audio);
    else this.#openRecorder(stream, wanted);
  }

  #openEncoders(video, audio) {
    const onError = (error) => this.#onEncoderError(error);
    this.#pictures = new PictureEncoder({
      fps: this.#fps,
      bitrate: this.#bitrate,
      onConfig: (config) => {
        this.#videoConfig = config;
        this.#configSent = false;
        this.#sendConfig();
      },
      onChunk: (chunk) => this.#onPicture(chunk),
      onError,
    });
    this.#video = new VideoCapture({
      track: video,
      fps: this.#fps,
      maxSide: this.#maxSide,
      onFrame: (frame, time) => this.#pictures.encode(frame, time),
    });
    if (audio) {
      this.#sounds = new SoundEncoder({
        onConfig: (config) => {
          this.#audioConfig = config;
          this.#configSent = false;
          this.#sendConfig();
        },
        onChunk: (chunk) => this.#onSound(chunk),
        onError,
      });
      this.#audio = new SoundCapture({ track: audio, onData: (data, time) => this.#sounds?.encode(data, time) });
      this.#audio.start();
    }
    this.#video.start();
  }

  #openRecorder(stream, { width, height }) {
    if (!RecorderSource.isSupported()) {
      this.#setState("failed", { reason: "not supported" });
      return;
    }
    this.#recorder = new RecorderSource({
      stream,
      bitrate: this.#bitrate,
      // the head of the file must not be lost, so slices follow the config at once
      onSlice: (buffer) => {
        if (this.#configSent) this.#socket.sendBinary(buffer);
      },
    });
    this.#videoConfig = { codec: "", description: new Uint8Array(), width, height, fps: this.#fps };
  }

  #closeSource() {
    for (const part of [this.#video, this.#audio, this.#recorder]) part?.stop();
    this.#pictures?.close();
    this.#sounds?.close();
    this.#video = this.#audio = this.#pictures = this.#sounds = this.#recorder = null;
  }

  #onEncoderError() {
    const stream = this.#stream;
    this.#closeSource();
    // an encoder died (a GPU was reset, a device taken away): start anew on the same stream
    setTimeout(() => {
      const tracks = stream.getVideoTracks();
      if (this.#state !== "stopped" && stream === this.#stream && tracks[0]?.readyState === "live") this.#open(stream);
    }, 500);
  }

  async #onOpen() {
    this.#ready = this.#configSent = false;
    // the first pings tell how the clocks differ; without them the gateway takes the time of arrival
    const until = performance.now() + CLOCK_WAIT_MS;
    while (!this.clock.isKnown && performance.now() < until) await new Promise((done) => setTimeout(done, 10));
    this.#pictures?.requestKey();
    this.#sendConfig();
  }

  #sendConfig() {
    const video = this.#videoConfig;
    // sound is announced together with the picture; an audio track that is silent so far must not hold the picture up
    if (!video || this.#configSent || !this.#socket.isOpen) return;
    if (this.#sounds && !this.#audioConfig && performance.now() - this.#soundAskedAt() < 300) {
      setTimeout(() => this.#sendConfig(), 50);
      return;
    }
    const startMs = this.#recorder ? this.#recorder.restart() : 0;
    this.#socket.sendText({
      type: "config",
      source: this.source,
      clock: this.clock.isKnown ? performance.timeOrigin + startMs + this.clock.offset : null,
      video: { ...video, description: toBase64(video.description) },
      audio: this.#audioConfig && { ...this.#audioConfig, description: toBase64(this.#audioConfig.description) },
    });
    this.#configSent = true;
    this.#needsKey = true;
    this.#pictures?.requestKey();
  }

  #askedAt = 0;

  #soundAskedAt() {
    this.#askedAt ||= performance.now();
    return this.#askedAt;
  }

  #onText(message) {
    if (message.type === "ready") {
      this.#ready = true;
      this.#needsKey = true;
      this.#pictures?.requestKey();
      this.#setState("sending");
    } else if (message.type === "key") {
      this.requestKeyFrame();
    } else if (message.type === "stats") {
      this.#onStats(message);
    } else if (message.type === "error") {
      this.dispatchEvent(new CustomEvent("problem", { detail: message }));
    }
  }

  #onStats({ bits_per_second: bitsPerSecond, buffered_ms: lateMs, viewers }) {
    const waiting = this.#waitingSeconds();
    if (this.#pictures) {
      if (waiting < SLOW_SECONDS / 2 && lateMs < 800) this.#pictures.speedUp();
      else if (lateMs > 2_000) this.#pictures.slowDown();
    }
    const bitrate = this.#pictures?.bitrate ?? this.#bitrate;
    const dropped = this.#pictures?.dropped ?? 0;
    this.#stats = { bitsPerSecond, lateMs, viewers, bitrate, dropped, source: this.source };
    this.#correctClock();
    this.dispatchEvent(new CustomEvent("stats", { detail: this.#stats }));
  }

  /** Clocks drift: once in a while the gateway is told where zero lies by now. */
  #correctClock() {
    const now = performance.now();
    if (this.#recorder || !this.clock.isKnown || now - this.#clockToldAt < CLOCK_EVERY_MS) return;
    this.#clockToldAt = now;
    this.#socket.sendText({ type: "clock", clock: performance.timeOrigin + this.clock.offset });
  }

  #clockToldAt = 0;

  #onLost({ code, reason, retryMs }) {
    this.#ready = this.#configSent = false;
    if (retryMs !== null) {
      this.#setState("reconnecting", { code, reason });
      return;
    }
    this.#closeSource();
    this.#setState(code === CLOSE.NORMAL ? "stopped" : "failed", { code, reason });
  }

  #onPicture({ isKey, time, duration, chunk }) {
    if (!this.#ready || !this.#configSent || (this.#needsKey && !isKey)) return;
    const waiting = this.#waitingSeconds();
    if (waiting > SLOW_SECONDS) this.#pictures?.slowDown();
    if (waiting > STUCK_SECONDS) {
      // what cannot be sent in time is left out up to the next key frame, so that the delay does not grow
      this.#needsKey = true;
      return;
    }
    this.#needsKey = false;
    this.#send(isKey ? KEY : DELTA, time, duration, chunk);
  }

  #onSound({ time, duration, chunk }) {
    if (!this.#ready || !this.#configSent || this.#needsKey || this.#waitingSeconds() > STUCK_SECONDS) return;
    this.#send(SOUND, time, duration, chunk);
  }

  #send(kind, time, duration, chunk) {
    const [buffer, payload] = newFrame(kind, time, duration, chunk.byteLength);
    chunk.copyTo(payload);
    this.#socket.sendBinary(buffer);
  }

  #waitingSeconds() {
    return (this.#socket.bufferedAmount * 8) / (this.#pictures?.bitrate ?? this.#bitrate);
  }

  #setState(state, detail = {}) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, ...detail } }));
  }
}

function even(side) {
  return Math.floor(side / 2) * 2;
}
