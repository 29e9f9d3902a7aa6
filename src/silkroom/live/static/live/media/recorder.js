/** Where WebCodecs is missing: MediaRecorder's slices, which the gateway takes apart. More delay, the same show. */

import { MAX_PAYLOAD, SLICE, newFrame } from "./frames.js";

const SLICE_MS = 100;
const KEY_EVERY_MS = 1_000;
const KINDS = [
  ["matroska", "video/x-matroska;codecs=avc1,opus"],
  ["matroska", "video/x-matroska;codecs=h264,opus"],
  ["matroska", "video/x-matroska;codecs=avc1"],
  ["mp4", "video/mp4;codecs=avc1.42E01F,opus"],
  ["mp4", "video/mp4;codecs=avc1.42E01F,mp4a.40.2"],
  ["mp4", "video/mp4"],
];

function usable() {
  return globalThis.MediaRecorder ? KINDS.filter(([, mime]) => MediaRecorder.isTypeSupported(mime)) : [];
}

export class RecorderSource {
  /** `onSlice(buffer)` gets whole binary frames in order. */
  constructor({ stream, bitrate, onSlice }) {
    this.#stream = stream;
    this.#bitrate = bitrate;
    this.#onSlice = onSlice;
    [this.container, this.#mime] = usable()[0];
  }

  container;
  #stream;
  #bitrate;
  #onSlice;
  #mime;
  #recorder = null;
  #order = Promise.resolve();

  static isSupported() {
    return usable().length > 0;
  }

  /** A new file from its head, for a new connection. Answers its zero on performance.now(). */
  restart() {
    this.stop();
    const recorder = new MediaRecorder(this.#stream, {
      mimeType: this.#mime,
      videoBitsPerSecond: this.#bitrate,
      videoKeyFrameIntervalDuration: KEY_EVERY_MS,
    });
    this.#recorder = recorder;
    recorder.ondataavailable = ({ data }) => {
      this.#order = this.#order.then(async () => {
        const bytes = new Uint8Array(await data.arrayBuffer());
        if (recorder === this.#recorder) this.#send(bytes);
      });
    };
    recorder.start(SLICE_MS);
    return performance.now();
  }

  stop() {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (recorder && recorder.state !== "inactive") recorder.stop();
  }

  #send(bytes) {
    for (let offset = 0; offset < bytes.length; offset += MAX_PAYLOAD) {
      const piece = bytes.subarray(offset, offset + MAX_PAYLOAD);
      const [buffer, payload] = newFrame(SLICE, 0, 0, piece.length);
      payload.set(piece);
      this.#onSlice(buffer);
    }
  }
}
