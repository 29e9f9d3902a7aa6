/** The studio's way to the media publisher: opens a source, sends it, says how it goes. */
import { MediaPublisher } from "../media/encoder.js";

const REPLACED = 4409;
const WANTED = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/**
 * Event `state`: {state: "idle" | "connecting" | "sending" | "reconnecting" | "stopped" | "replaced" | "failed", width, height,
 * fps, kbps, bufferedMs}.
 */
export class Sender extends EventTarget {
  stream = null;
  /** Bits of picture a second, of what begins from now on; undefined: as the publisher likes. */
  bitrate;
  #options;
  #publisher = null;
  #state = "idle";
  #video = null;
  #isMicrophoneOn = true;
  #isCameraOn = true;

  /** `getTicket({fresh})` answers an ingest ticket. */
  constructor(options) {
    super();
    this.#options = options;
  }

  /** Does this page send the picture of the show? */
  get isOwn() {
    return this.#publisher !== null;
  }

  /** The moment of the picture that is being taken, in milliseconds of the gateway's clock; null before it is known. */
  get mediaMs() {
    return this.#publisher?.clock.isKnown ? Math.round(this.#publisher.clock.now()) : null;
  }

  /** Opens {kind: "devices", camera, microphone} or {kind: "file", file}; while sending, viewers see it at once. */
  async open(source) {
    const before = { stream: this.stream, video: this.#video };
    this.#video = null;
    try {
      this.stream = source.kind === "file" ? await this.#openFile(source.file) : await openDevices(source);
    } catch (error) {
      this.stream = null;
      throw error;
    } finally {
      for (const track of before.stream?.getTracks() ?? []) track.stop();
      if (before.video) URL.revokeObjectURL(before.video.src);
    }
    this.#apply();
    for (const track of this.stream.getTracks()) track.addEventListener("ended", () => this.#tell());
    if (this.#publisher) await this.#publisher.setStream(this.stream);
    return this.stream;
  }

  async #openFile(file) {
    const video = document.createElement("video");
    Object.assign(video, { src: URL.createObjectURL(file), muted: true, loop: true, playsInline: true });
    await video.play();
    this.#video = video;
    const stream = (video.captureStream ?? video.mozCaptureStream).call(video);
    if (stream.getVideoTracks().length === 0) throw new DOMException("no picture in the file", "NotSupportedError");
    return stream;
  }

  async start() {
    if (this.#publisher || !this.stream) return;
    // The newest ticket wins: who presses the key takes the picture over from whoever was sending.
    let isFirst = true;
    const getTicket = ({ fresh }) => {
      const ticket = this.#options.getTicket({ fresh: fresh || isFirst });
      isFirst = false;
      return ticket;
    };
    const publisher = new MediaPublisher({ gateway: this.#options.gateway, getTicket, bitrate: this.bitrate });
    this.#publisher = publisher;
    publisher.addEventListener("stats", () => this.#tell());
    publisher.addEventListener("state", ({ detail: { state, code } }) => {
      this.#state = state === "failed" && code === REPLACED ? "replaced" : state;
      if (this.#publisher === publisher && ["stopped", "failed", "replaced"].includes(this.#state)) this.#publisher = null;
      this.#tell();
    });
    await publisher.start(this.stream);
  }

  stop() {
    this.#publisher?.stop();
  }

  /** Sends no more, and lets camera and microphone go. */
  close() {
    this.stop();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    if (this.#video) URL.revokeObjectURL(this.#video.src);
    this.stream = this.#video = null;
  }

  setMicrophone(on) {
    this.#isMicrophoneOn = on;
    this.#apply();
  }

  setCamera(on) {
    this.#isCameraOn = on;
    this.#apply();
  }

  #apply() {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = this.#isMicrophoneOn;
    for (const track of this.stream?.getVideoTracks() ?? []) track.enabled = this.#isCameraOn;
  }

  #tell() {
    const { width, height, frameRate } = this.stream?.getVideoTracks()[0]?.getSettings() ?? {};
    const { bitsPerSecond, lateMs } = this.#publisher?.stats ?? {};
    this.dispatchEvent(new CustomEvent("state", {
      detail: { state: this.#state, width, height, fps: frameRate, kbps: bitsPerSecond === undefined ? undefined : bitsPerSecond / 1000, bufferedMs: lateMs },
    }));
  }
}

function openDevices({ camera, microphone }) {
  const one = (id) => (id ? { deviceId: { exact: id } } : {});
  return navigator.mediaDevices.getUserMedia({
    video: { ...WANTED, ...(camera ? one(camera) : { facingMode: "user" }) },
    audio: microphone === null ? false : { ...one(microphone), echoCancellation: false, noiseSuppression: true, autoGainControl: true },
  });
}
