/** H.264 and Opus by WebCodecs: raw pictures and sound in, chunks for the relay out. */

/** A viewer who joins waits for nothing older than this, and a slow one loses no more than this. */
const KEY_EVERY_US = 1_000_000;
const MAX_QUEUED = 3;
const LEAST_BITRATE = 200_000;
const CALM_MS = 4_000;

/** Profiles and levels from good to modest: high, main, baseline; 5.1 down to 3.0. */
function codecCandidates(width, height, fps) {
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const rate = blocks * fps;
  // H.264 table A-1: largest frame and macroblocks a second
  const levels = [
    ["1E", 1_620, 40_500],
    ["1F", 3_600, 108_000],
    ["20", 5_120, 216_000],
    ["28", 8_192, 245_760],
    ["2A", 8_704, 522_240],
    ["33", 36_864, 983_040],
  ];
  const level = (levels.find(([, frame, second]) => blocks <= frame && rate <= second) ?? levels.at(-1))[0];
  // baseline first: no browser's encoder reorders pictures in it
  return [`avc1.42E0${level}`, `avc1.4D00${level}`, `avc1.6400${level}`];
}

export class PictureEncoder {
  /** `onConfig({codec, description, width, height})` before the first chunk and on each change. */
  constructor({ fps, bitrate, onConfig, onChunk, onError }) {
    this.#fps = fps;
    this.#most = bitrate;
    this.#bitrate = bitrate;
    this.#onConfig = onConfig;
    this.#onChunk = onChunk;
    this.#onError = onError;
  }

  #fps;
  #most;
  #bitrate;
  #onConfig;
  #onChunk;
  #onError;
  #encoder = null;
  #codec = "";
  #width = 0;
  #height = 0;
  #lastKey = -Infinity;
  #lastTime = 0;
  #wantKey = true;
  #configuring = false;
  #calmSince = performance.now();
  #dropped = 0;
  #described = "";

  get bitrate() {
    return this.#bitrate;
  }

  get dropped() {
    return this.#dropped;
  }

  get queued() {
    return this.#encoder?.encodeQueueSize ?? 0;
  }

  requestKey() {
    this.#wantKey = true;
  }

  /** Takes and closes the frame. */
  encode(frame, time) {
    const { codedWidth, codedHeight, displayWidth, displayHeight } = frame;
    const width = displayWidth || codedWidth;
    const height = displayHeight || codedHeight;
    if (width !== this.#width || height !== this.#height || !this.#encoder) {
      this.#width = width;
      this.#height = height;
      this.#configure();
    }
    if (this.#configuring || this.#encoder?.state !== "configured") {
      frame.close();
      return;
    }
    if (this.#encoder.encodeQueueSize >= MAX_QUEUED) {
      this.#dropped += 1;
      this.slowDown();
      frame.close();
      return;
    }
    const keyFrame = this.#wantKey || time - this.#lastKey >= KEY_EVERY_US - 500_000 / this.#fps;
    if (keyFrame) this.#lastKey = time;
    this.#wantKey = false;
    this.#encoder.encode(frame, { keyFrame });
    frame.close();
  }

  /** The machine or the line cannot follow: fewer bits at once, slowly more again. */
  slowDown() {
    if (performance.now() - this.#calmSince < 500) return;
    this.#calmSince = performance.now();
    this.#setBitrate(Math.max(LEAST_BITRATE, this.#bitrate * 0.75));
  }

  /** Call about once a second while all is well. */
  speedUp() {
    if (this.#bitrate >= this.#most || performance.now() - this.#calmSince < CALM_MS) return;
    this.#calmSince = performance.now();
    this.#setBitrate(Math.min(this.#most, this.#bitrate * 1.15));
  }

  close() {
    if (this.#encoder && this.#encoder.state !== "closed") this.#encoder.close();
    this.#encoder = null;
  }

  /** Whether some profile can be encoded here. */
  static async isSupported({ width, height, fps, bitrate }) {
    if (!("VideoEncoder" in window) || !("VideoFrame" in window)) return false;
    return Boolean(await findCodec(width, height, fps, bitrate));
  }

  async #configure() {
    if (this.#configuring) return;
    this.#configuring = true;
    this.close();
    const width = this.#width;
    const height = this.#height;
    const codec = await findCodec(width, height, this.#fps, this.#bitrate);
    this.#configuring = false;
    if (width !== this.#width || height !== this.#height) {
      this.#configure();
      return;
    }
    if (!codec) {
      this.#onError(new Error("no H.264 encoder"));
      return;
    }
    this.#codec = codec;
    const encoder = new VideoEncoder({
      output: (chunk, metadata) => this.#onOutput(chunk, metadata),
      error: (error) => this.#onError(error),
    });
    encoder.configure(settings(codec, width, height, this.#fps, this.#bitrate));
    this.#encoder = encoder;
    this.#wantKey = true;
  }

  #setBitrate(bitrate) {
    bitrate = Math.round(bitrate);
    if (bitrate === this.#bitrate || this.#encoder?.state !== "configured") return;
    this.#bitrate = bitrate;
    this.#encoder.configure(settings(this.#codec, this.#width, this.#height, this.#fps, bitrate));
  }

  #onOutput(chunk, metadata) {
    const config = metadata?.decoderConfig;
    if (config?.description) {
      const description = bytesOf(config.description);
      const described = `${this.#width}x${this.#height} ${description.join()}`;
      if (described !== this.#described) {
        this.#described = described;
        this.#onConfig({ codec: config.codec, description, width: this.#width, height: this.#height, fps: this.#fps });
      }
    }
    const time = Math.max(chunk.timestamp, this.#lastTime + 1);
    this.#lastTime = time;
    const duration = chunk.duration || 1e6 / this.#fps;
    this.#onChunk({ isKey: chunk.type === "key", time, duration, chunk });
  }
}

function bytesOf(source) {
  if (!ArrayBuffer.isView(source)) return new Uint8Array(source);
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice();
}

function settings(codec, width, height, fps, bitrate) {
  return {
    codec,
    width,
    height,
    framerate: fps,
    bitrate,
    latencyMode: "realtime",
    bitrateMode: "variable",
    avc: { format: "avc" },
  };
}

async function findCodec(width, height, fps, bitrate) {
  for (const codec of codecCandidates(width, height, fps)) {
    const { supported } = await VideoEncoder.isConfigSupported(settings(codec, width, height, fps, bitrate)).catch(
      () => ({ supported: false }),
    );
    if (supported) return codec;
  }
  return null;
}

const SOUND_BITRATE = 96_000;
const FRAME_US = 20_000;
/** Opus decodes to sound that went in 312 samples earlier; browsers' encoders do not say so in their timestamps. */
const LOOKAHEAD_US = 6_500;
/** Share of the difference that is taken over with each piece of about 10 ms: within a second. */
const FOLLOW = 0.01;
const JUMP_US = 200_000;
/** At first the arrival of sound varies most; times follow it closely until then. */
const SETTLE_SECONDS = 1.5;

export class SoundEncoder {
  /** `onConfig({codec, rate, channels, description})` before the first chunk. */
  constructor({ onConfig, onChunk, onError }) {
    this.#onConfig = onConfig;
    this.#onChunk = onChunk;
    this.#onError = onError;
  }

  #onConfig;
  #onChunk;
  #onError;
  #encoder = null;
  #rate = 0;
  #channels = 0;
  #firstTime = null;
  #firstStamp = 0;
  #samples = 0;
  #shift = 0;

  static isSupported() {
    return "AudioEncoder" in window && "AudioData" in window;
  }

  /** Takes and closes the data. */
  encode(data, time) {
    const channels = Math.min(2, data.numberOfChannels);
    if (!this.#encoder || data.sampleRate !== this.#rate || channels !== this.#channels) {
      this.#open(data.sampleRate, channels);
    }
    if (this.#firstTime === null) {
      this.#firstTime = time;
      this.#firstStamp = data.timestamp;
      this.#samples = 0;
      this.#shift = 0;
    }
    this.#follow(time - (this.#firstTime + (this.#samples * 1e6) / this.#rate) - this.#shift);
    this.#samples += data.numberOfFrames;
    if (this.#encoder?.state === "configured") this.#encoder.encode(data);
    data.close();
  }

  close() {
    if (this.#encoder && this.#encoder.state !== "closed") this.#encoder.close();
    this.#encoder = null;
  }

  /** The encoder counts samples, but the microphone's clock drifts against the camera's: its times are steered. */
  #follow(drift) {
    const settling = this.#samples < SETTLE_SECONDS * this.#rate;
    this.#shift += settling || Math.abs(drift) > JUMP_US ? drift : drift * FOLLOW;
  }

  #open(rate, channels) {
    this.close();
    this.#rate = rate;
    this.#channels = channels;
    this.#firstTime = null;
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const time = this.#firstTime + (chunk.timestamp - this.#firstStamp) + this.#shift - LOOKAHEAD_US;
        this.#onChunk({ time, duration: chunk.duration || FRAME_US, chunk });
      },
      error: (error) => this.#onError(error),
    });
    encoder.configure({
      codec: "opus",
      sampleRate: rate,
      numberOfChannels: channels,
      bitrate: SOUND_BITRATE,
      opus: { frameDuration: FRAME_US, application: "audio", complexity: 5 },
    });
    this.#encoder = encoder;
    this.#onConfig({ codec: "opus", rate: 48_000, channels, description: new Uint8Array() });
  }
}
