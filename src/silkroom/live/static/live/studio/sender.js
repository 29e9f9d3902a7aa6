/** The studio's way to the media encoder: opens a source, sends it, says how it goes. */
import { Encoder } from "../media/encoder.js";

/**
 * Event `state`: {state: "idle" | "connecting" | "sending" | "reconnecting" | "replaced" | "failed", width, height, fps, kbps,
 * bufferedMs, viewers}.
 */
export class Sender extends EventTarget {
  stream = null;
  isOwn = false;
  mediaMs = null;
  constructor(options) { super(); this.options = options; }
  async open() { return this.stream; }
  async start() { this.isOwn = true; }
  stop() { this.isOwn = false; }
  setMicrophone() {}
  setCamera() {}
}
