/** The loudspeaker side of the instant player: the audio context, its worklet, and the clock that pictures are held to. */

import { localNow } from "./clock.js";

const WORKLET = new URL("./sound-worklet.js", import.meta.url);
const JUMP_US = 60_000;
const SMOOTH = 0.08;

export class Loudspeaker {
  #context = null;
  #node = null;
  #shift = null;
  #starting = null;
  #onHeard;

  /**
   * `onHeard(shiftUs)`, some 50 times a second: sound captured at relay time t is heard at (t - shiftUs) / 1000 on this
   * machine's clock (localNow).
   */
  constructor({ onHeard }) {
    this.#onHeard = onHeard;
  }

  static isSupported() {
    return "AudioWorkletNode" in window;
  }

  /** For measurements and meters: the node whose output is heard. */
  get node() {
    return this.#node;
  }

  get context() {
    return this.#context;
  }

  /** What the worklet said last: {delay, wanted, underruns}. */
  report = null;

  /** Must be called from a tap or key where the browser asks for one. `connect(port)` gets the end that feeds sound. */
  async start(connect) {
    this.#starting ??= this.#build(connect);
    await this.#starting;
    if (this.#context.state !== "running") await this.#context.resume();
  }

  async stop() {
    this.#shift = null;
    this.#node?.port.postMessage({ reset: true });
    await this.#context?.suspend();
  }

  async close() {
    const context = this.#context;
    this.#context = this.#node = this.#starting = this.#shift = null;
    await context?.close();
  }

  async #build(connect) {
    const context = new AudioContext({ latencyHint: 0, sampleRate: 48_000 });
    this.#context = context;
    await context.audioWorklet.addModule(WORKLET);
    const node = new AudioWorkletNode(context, "silkroom-sound", { numberOfInputs: 0, outputChannelCount: [2] });
    const { port1, port2 } = new MessageChannel();
    node.port.onmessage = ({ data }) => this.#onReport(data);
    node.port.postMessage({ port: port1 }, [port1]);
    node.connect(context.destination);
    this.#node = node;
    connect(port2);
  }

  #onReport(report) {
    this.report = report;
    if (!report.playing || !report.time || this.#context?.state !== "running") return;
    const shift = report.time - this.#heardMs(report.frame / this.#context.sampleRate) * 1000;
    const jumped = this.#shift === null || Math.abs(shift - this.#shift) > JUMP_US;
    this.#shift = jumped ? shift : this.#shift + (shift - this.#shift) * SMOOTH;
    this.#onHeard(this.#shift);
  }

  /** When (localNow) a moment of the context leaves the loudspeaker. */
  #heardMs(contextTime) {
    const context = this.#context;
    const stamp = context.getOutputTimestamp?.();
    if (stamp?.performanceTime > 0) {
      return performance.timeOrigin + stamp.performanceTime + (contextTime - stamp.contextTime) * 1000;
    }
    const latency = context.outputLatency || context.baseLatency || 0;
    return localNow() + (contextTime - context.currentTime + latency) * 1000;
  }
}
