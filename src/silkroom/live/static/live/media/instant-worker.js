/**
 * The instant player's work, away from the page's own: socket and decoders. With sound on, each picture waits until its
 * sound is nearly due; without, it is handed over at once.
 *
 * Messages in: begin, start, mute, sound, heard, hidden, ticket. Messages out: state, picture, clock, ticket, failed.
 */

import { GatewayClock, localNow } from "./clock.js";
import { DELTA, KEY, SOUND, fromBase64, readFrame } from "./frames.js";
import { CLOSE, LastingSocket, viewerVerdict } from "./lasting-socket.js";

/**
 * A picture is drawn so long before its sound is heard: less delay, still in step. EBU R 37 tolerates sound that is 60 ms
 * late, and a screen shows what is drawn only 8 ms later on average.
 */
const LEAD_MS = 42;
/** More pictures in the decoder than this: the machine is too slow, skip to the next key frame. */
const MAX_DECODING = 45;
const MAX_WAITING = 60;
/** A picture that comes so much later than usual is only decoded if it is a key: catch up rather than play old news. */
const OLD_MS = 1_000;
const USUAL_BUCKET_MS = 2_000;
const USUAL_BUCKETS = 5;
const FROZEN_MS = 2_500;
const MAX_TROUBLE = 6;
const TROUBLE_MS = 30_000;
/** Without word from the loudspeaker for so long, pictures are not held against it. */
const SILENT_MS = 500;

class SoundDecoder {
  constructor(failed) {
    this.failed = failed;
    this.port = null;
    this.config = null;
    this.decoder = null;
    this.lastTime = 0;
    /** Pieces in the decoder: [count in microseconds, capture time]. */
    this.inside = [];
    this.counted = 0;
  }

  configure(config) {
    this.config = config && { ...config, description: fromBase64(config.description) };
    this.close();
    this.port?.postMessage({ reset: true });
  }

  close() {
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
    this.inside = [];
    this.counted = 0;
  }

  take({ time, duration, payload }) {
    if (!this.port || !this.config || time <= this.lastTime) return;
    this.lastTime = time;
    this.decoder ??= this.open();
    // a decoder counts samples from the first time it is given and forgets the others, so it gets a count of our own
    this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: this.counted, duration, data: payload }));
    this.inside.push([this.counted, time]);
    this.counted += duration;
  }

  /** When the sound with this count was captured. */
  captured(count) {
    while (this.inside.length > 1 && this.inside[1][0] <= count + 1_000) this.inside.shift();
    const [start, time] = this.inside[0] ?? [count, this.lastTime];
    return time + (count - start);
  }

  open() {
    const { codec, rate, channels, description } = this.config;
    const decoder = new AudioDecoder({
      output: (data) => this.onDecoded(data),
      error: (error) => {
        if (this.decoder === decoder) this.decoder = null;
        this.failed(error.message);
      },
    });
    const config = { codec, sampleRate: rate, numberOfChannels: channels };
    if (description.length) config.description = description;
    decoder.configure(config);
    return decoder;
  }

  onDecoded(data) {
    const channels = [];
    for (let index = 0; index < data.numberOfChannels; index += 1) {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex: index, format: "f32-planar" });
      channels.push(samples);
    }
    const time = this.captured(data.timestamp);
    data.close();
    this.port?.postMessage({ time, channels }, channels.map((one) => one.buffer));
  }
}

class Engine {
  clock = new GatewayClock();
  socket = null;
  config = null;
  decoder = null;
  needsKey = true;
  waiting = [];
  timer = 0;
  muted = true;
  hidden = false;
  shift = null;
  heardAt = 0;
  shown = 0;
  shownAt = 0;
  arrivedAt = 0;
  resumedAt = 0;
  usual = [];
  usualEnds = 0;
  trouble = 0;
  tickets = new Map();
  sound = new SoundDecoder((reason) => this.countTrouble(`sound: ${reason}`));

  on(message) {
    if (message.type === "begin") this.begin(message);
    else if (message.type === "start") this.start();
    else if (message.type === "ticket") this.onTicket(message);
    else if (message.type === "sound") this.sound.port = message.port;
    else if (message.type === "mute") this.setMuted(message.muted);
    else if (message.type === "heard") this.onHeard(message.shift);
    else if (message.type === "hidden") this.setHidden(message.hidden);
  }

  begin({ gateway, hidden }) {
    this.hidden = hidden;
    this.socket = new LastingSocket({
      gateway,
      path: "/gateway/watch",
      query: { mode: "instant" },
      getTicket: ({ fresh }) => this.askTicket(fresh),
      clock: this.clock,
      handlers: {
        onText: (message) => this.onText(message),
        onBinary: (buffer) => this.onFrame(readFrame(buffer)),
        onLost: (detail) => this.onLost(detail),
        isFinal: (code) => code === CLOSE.NORMAL || code === CLOSE.TOO_SLOW || code === CLOSE.FORBIDDEN,
      },
    });
  }

  start() {
    this.socket.open();
    setInterval(() => this.watch(), 500);
  }

  askTicket(fresh) {
    const number = this.tickets.size + Math.random();
    return new Promise((resolve, reject) => {
      this.tickets.set(number, { resolve, reject });
      postMessage({ type: "ticket", number, fresh });
    });
  }

  onTicket({ number, ticket }) {
    const asked = this.tickets.get(number);
    this.tickets.delete(number);
    if (ticket === null) asked?.reject(new Error("no ticket"));
    else asked?.resolve(ticket);
  }

  setMuted(muted) {
    this.muted = muted;
    this.shift = null;
    if (muted) this.sound.close();
    this.schedule();
  }

  onHeard(shift) {
    this.shift = shift;
    this.heardAt = performance.now();
  }

  setHidden(hidden) {
    this.hidden = hidden;
    if (hidden) return;
    this.closeDecoder();
    this.resume();
  }

  onText(message) {
    if (message.type === "state") postMessage({ type: "state", state: message.state });
    else if (message.type === "config") this.configure(message);
    else if (message.type === "pong") {
      postMessage({ type: "clock", sentAt: message.client_ms, serverMs: message.server_ms, now: localNow() });
    }
  }

  async configure({ video, audio }) {
    this.resumedAt = performance.now();
    const config = {
      codec: video.codec,
      description: fromBase64(video.description),
      codedWidth: video.width,
      codedHeight: video.height,
      optimizeForLatency: true,
    };
    this.config = config;
    this.closeDecoder();
    this.sound.configure(audio);
    const { supported } = await VideoDecoder.isConfigSupported(config).catch(() => ({ supported: false }));
    if (!supported && this.config === config) this.fail(`cannot decode ${config.codec}`);
  }

  onFrame(frame) {
    this.arrivedAt = performance.now();
    if (frame.kind === SOUND) {
      if (!this.muted) this.sound.take(frame);
    } else if (frame.kind === KEY || frame.kind === DELTA) {
      this.decode(frame);
    }
  }

  decode({ kind, time, duration, payload }) {
    // nobody looks: decoding would only cost battery; the group comes again when the page is back
    if (!this.config || this.hidden || (this.needsKey && kind !== KEY)) return;
    this.decoder ??= this.newDecoder();
    if (this.decoder.decodeQueueSize > MAX_DECODING) {
      this.needsKey = true;
      this.countTrouble("the decoder is too slow");
      return;
    }
    if (this.isOld(time) && kind !== KEY) {
      this.needsKey = true;
      return;
    }
    this.needsKey = false;
    const type = kind === KEY ? "key" : "delta";
    this.decoder.decode(new EncodedVideoChunk({ type, timestamp: time, duration, data: payload }));
  }

  /** Whether a chunk is much later than those of the last ten seconds were at best. */
  isOld(time) {
    const now = performance.now();
    const late = performance.timeOrigin + now - time / 1000;
    if (now >= this.usualEnds) {
      this.usual.push(Infinity);
      if (this.usual.length > USUAL_BUCKETS) this.usual.shift();
      this.usualEnds = now + USUAL_BUCKET_MS;
    }
    const last = this.usual.length - 1;
    this.usual[last] = Math.min(this.usual[last], late);
    // a group that was asked for, or comes with the connection, is old by nature
    return now - this.resumedAt > OLD_MS && late > Math.min(...this.usual) + OLD_MS;
  }

  newDecoder() {
    const decoder = new VideoDecoder({
      output: (frame) => this.onPicture(frame),
      error: (error) => {
        if (this.decoder !== decoder) return;
        this.decoder = null;
        this.needsKey = true;
        this.countTrouble(error.message);
        this.resume();
      },
    });
    decoder.configure(this.config);
    return decoder;
  }

  closeDecoder() {
    for (const frame of this.waiting.splice(0)) frame.close();
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
    this.needsKey = true;
  }

  onPicture(frame) {
    // a group that was asked for again starts in the past: it is decoded, but only what is new is shown
    if (frame.timestamp <= this.shown) {
      frame.close();
      return;
    }
    this.waiting.push(frame);
    if (this.waiting.length > MAX_WAITING) this.waiting.shift().close();
    this.schedule();
  }

  /** Show the newest picture that is due; come back for the next. */
  schedule() {
    clearTimeout(this.timer);
    const now = performance.now();
    let due = null;
    while (this.waiting.length && this.dueAt(this.waiting[0]) <= now + 1) {
      due?.close();
      due = this.waiting.shift();
    }
    if (due) this.show(due);
    if (this.waiting.length) {
      const wait = Math.min(1_000, this.dueAt(this.waiting[0]) - now);
      this.timer = setTimeout(() => this.schedule(), wait);
    }
  }

  /** On performance.now(); 0: at once. */
  dueAt(frame) {
    if (this.muted || this.shift === null || performance.now() - this.heardAt > SILENT_MS) return 0;
    return (frame.timestamp - this.shift) / 1000 - performance.timeOrigin - LEAD_MS;
  }

  show(frame) {
    this.shown = frame.timestamp;
    this.shownAt = performance.now();
    postMessage({ type: "picture", frame, time: frame.timestamp }, [frame]);
  }

  /** Chunks come but no picture is seen: ask for the group again, at last give up. */
  watch() {
    const now = performance.now();
    const arriving = now - this.arrivedAt < 1_000;
    if (this.hidden || !arriving || now - Math.max(this.shownAt, this.resumedAt) < FROZEN_MS) return;
    this.closeDecoder();
    this.countTrouble("no picture");
    this.resume();
  }

  resume() {
    this.resumedAt = performance.now();
    this.socket.sendText({ type: "resume" });
  }

  countTrouble(reason) {
    this.trouble += 1;
    setTimeout(() => {
      this.trouble -= 1;
    }, TROUBLE_MS);
    if (this.trouble >= MAX_TROUBLE) this.fail(reason);
  }

  onLost(detail) {
    this.needsKey = true;
    const verdict = viewerVerdict(this.socket, detail);
    if (verdict === "ended") postMessage({ type: "state", state: "ended" });
    else if (verdict) this.fail(verdict);
  }

  fail(reason) {
    this.socket.close();
    this.closeDecoder();
    this.sound.close();
    postMessage({ type: "failed", reason });
  }
}

const engine = new Engine();
globalThis.onmessage = ({ data }) => engine.on(data);
