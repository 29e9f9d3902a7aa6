/** Hands captured sound over in pieces of 10 ms, where a browser has no MediaStreamTrackProcessor. */

const SAMPLES = 480;

class SilkroomCapture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.pieces = [];
    this.count = 0;
    this.start = 0;
  }

  process([input]) {
    if (!input.length) return true;
    if (!this.count) this.start = currentFrame;
    this.pieces.push(input.map((channel) => channel.slice()));
    this.count += input[0].length;
    if (this.count >= SAMPLES) this.flush();
    return true;
  }

  flush() {
    const channels = this.pieces[0].map((_, index) => {
      const whole = new Float32Array(this.count);
      let offset = 0;
      for (const piece of this.pieces) {
        whole.set(piece[Math.min(index, piece.length - 1)], offset);
        offset += piece[0].length;
      }
      return whole;
    });
    this.port.postMessage({ frame: this.start, channels }, channels.map((one) => one.buffer));
    this.pieces = [];
    this.count = 0;
  }
}

registerProcessor("silkroom-capture", SilkroomCapture);
