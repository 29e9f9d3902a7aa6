/** Tells at which frame of the context a click begins. */

class Onset extends AudioWorkletProcessor {
  quietUntil = 0;

  process([input]) {
    const samples = input[0];
    if (!samples || currentFrame < this.quietUntil) return true;
    const found = samples.findIndex((one) => Math.abs(one) > 0.2);
    if (found >= 0) {
      this.port.postMessage(currentFrame + found);
      this.quietUntil = currentFrame + sampleRate / 5;
    }
    return true;
  }
}

registerProcessor("onset", Onset);
