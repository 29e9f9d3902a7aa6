/** From the tracks of a MediaStream to raw pictures and sound for the encoders, on one clock. */

/**
 * Browsers count a track's timestamps from anywhere, and differently for pictures and sound. The quickest arrival of the
 * last seconds tells where a track's zero lies on performance.now(); older ones count no more, since clocks drift and a
 * starved machine loses sound.
 */
export class TrackClock {
  #buckets = [];
  #bucketEnds = 0;
  #last = 0;

  /** The capture moment in microseconds of performance.now(); `lasted` is what had to pass before it could arrive. */
  place(timestamp, lasted = 0) {
    const now = performance.now();
    const shift = now * 1000 - timestamp - lasted;
    // a source that starts its count anew
    if (this.#buckets.length && Math.abs(shift - Math.min(...this.#buckets)) > RESTART_US) this.#buckets = [];
    if (now >= this.#bucketEnds || !this.#buckets.length) {
      this.#buckets.push(shift);
      if (this.#buckets.length > BUCKETS) this.#buckets.shift();
      this.#bucketEnds = now + BUCKET_MS;
    }
    const last = this.#buckets.length - 1;
    this.#buckets[last] = Math.min(this.#buckets[last], shift);
    this.#last = Math.max(this.#last + 1, timestamp + Math.min(...this.#buckets));
    return this.#last;
  }
}

const RESTART_US = 1_000_000;
const BUCKET_MS = 500;
const BUCKETS = 6;

/** Pictures of a track. `onFrame(frame, timeUs)` must close the frame. */
export class VideoCapture {
  constructor({ track, fps, maxSide, onFrame }) {
    this.#track = track;
    this.#onFrame = onFrame;
    this.#maxSide = maxSide;
    this.#least = (1e6 / fps) * 0.75;
  }

  #track;
  #onFrame;
  #maxSide;
  #least;
  #clock = new TrackClock();
  #last = -Infinity;
  #reader = null;
  #video = null;
  #canvas = null;
  #stopped = false;

  start() {
    if ("MediaStreamTrackProcessor" in window) this.#readTrack();
    else this.#readElement();
  }

  stop() {
    this.#stopped = true;
    this.#reader?.cancel().catch(() => {});
    if (this.#video) {
      this.#video.srcObject = null;
      this.#video.remove();
    }
  }

  async #readTrack() {
    const processor = new MediaStreamTrackProcessor({ track: this.#track, maxBufferSize: 2 });
    this.#reader = processor.readable.getReader();
    while (!this.#stopped) {
      const { done, value } = await this.#reader.read().catch(() => ({ done: true }));
      if (done) return;
      this.#take(value);
    }
  }

  /** Without a track processor (Safari, Firefox): a hidden <video> that tells when it shows a new picture. */
  #readElement() {
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.srcObject = new MediaStream([this.#track]);
    video.style.cssText = "position:fixed;width:1px;height:1px;opacity:0;pointer-events:none";
    document.body.append(video);
    this.#video = video;
    const next = (now, metadata) => {
      if (this.#stopped) return;
      video.requestVideoFrameCallback(next);
      if (!video.videoWidth) return;
      const timestamp = Math.round((metadata.captureTime ?? metadata.presentationTime ?? now) * 1000);
      this.#take(new VideoFrame(video, { timestamp }));
    };
    video.requestVideoFrameCallback(next);
    video.play().catch(() => {});
  }

  #take(frame) {
    const time = this.#clock.place(frame.timestamp);
    if (this.#stopped || time - this.#last < this.#least) {
      frame.close();
      return;
    }
    this.#last = time;
    this.#onFrame(this.#fitting(frame, time), time);
  }

  /** Upright, even and not larger than asked for, with the common clock's time. */
  #fitting(frame, time) {
    const { displayWidth, displayHeight } = frame;
    const scale = Math.min(1, this.#maxSide / Math.max(displayWidth, displayHeight));
    const width = Math.floor((displayWidth * scale) / 2) * 2;
    const height = Math.floor((displayHeight * scale) / 2) * 2;
    const turned = frame.rotation || frame.flip;
    let made;
    if (turned || width !== displayWidth || height !== displayHeight) {
      this.#canvas ??= new OffscreenCanvas(width, height);
      if (this.#canvas.width !== width || this.#canvas.height !== height) {
        this.#canvas.width = width;
        this.#canvas.height = height;
      }
      // drawImage applies rotation and flip
      this.#canvas.getContext("2d", { alpha: false }).drawImage(frame, 0, 0, width, height);
      made = new VideoFrame(this.#canvas, { timestamp: Math.round(time) });
    } else {
      made = new VideoFrame(frame, { timestamp: Math.round(time) });
    }
    frame.close();
    return made;
  }
}

const WORKLET = new URL("./capture-worklet.js", import.meta.url);

/** Sound of a track. `onData(data, timeUs)` must close the AudioData. */
export class SoundCapture {
  constructor({ track, onData }) {
    this.#track = track;
    this.#onData = onData;
  }

  #track;
  #onData;
  #clock = new TrackClock();
  #reader = null;
  #context = null;
  #stopped = false;

  start() {
    if ("MediaStreamTrackProcessor" in window) this.#readTrack();
    else this.#readWorklet();
  }

  stop() {
    this.#stopped = true;
    this.#reader?.cancel().catch(() => {});
    this.#context?.close();
  }

  async #readTrack() {
    const processor = new MediaStreamTrackProcessor({ track: this.#track, maxBufferSize: 20 });
    this.#reader = processor.readable.getReader();
    while (!this.#stopped) {
      const { done, value } = await this.#reader.read().catch(() => ({ done: true }));
      if (done) return;
      this.#onData(value, this.#clock.place(value.timestamp, value.duration));
    }
  }

  async #readWorklet() {
    const context = new AudioContext({ sampleRate: 48_000, latencyHint: 0 });
    this.#context = context;
    await context.audioWorklet.addModule(WORKLET);
    const source = context.createMediaStreamSource(new MediaStream([this.#track]));
    const node = new AudioWorkletNode(context, "silkroom-capture", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data: { frame, channels } }) => {
      if (this.#stopped) return;
      const samples = channels[0].length;
      const timestamp = Math.round((frame * 1e6) / 48_000);
      const data = new Float32Array(samples * channels.length);
      channels.forEach((one, index) => data.set(one, index * samples));
      const audio = new AudioData({
        format: "f32-planar",
        sampleRate: 48_000,
        numberOfFrames: samples,
        numberOfChannels: channels.length,
        timestamp,
        data,
      });
      this.#onData(audio, this.#clock.place(timestamp, audio.duration));
    };
    source.connect(node);
    await context.resume();
  }
}
