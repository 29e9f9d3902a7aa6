/**
 * Plays decoded sound as soon as it is safe. Every piece has been captured at a known time; how late the pieces of the
 * last seconds came tells how long after its capture sound must be played. That delay is held by playing a trace faster
 * or slower, which is not heard.
 *
 * Messages in: {port} (where sound comes from, if not from the page), {reset}, {time, channels} (capture time in
 * microseconds of the first sample; one Float32Array a channel). Messages out, some 50 a second: {frame, time, playing, delay, wanted, underruns}: the sample at context frame `frame`
 * was captured at `time`.
 */

const MARGIN = 0.004;
/** Arrivals whose lateness counts: three seconds of 20 ms. */
const REMEMBERED = 150;
/** A single stall has been heard already: waiting longer for seconds after it helps nobody. */
const SHARE = 0.97;
/** Pieces that come together were held up together: only the first, the latest of them, counts. */
const TOGETHER_SECONDS = 0.004;
const LOOK_EVERY = 10;
/** Running dry again within so many seconds: wait longer all the same. */
const TROUBLED_SECONDS = 8;
const EXTRA_STEP = 0.01;
const EXTRA_MOST = 0.2;
const HARD_EXCESS = 0.05;
/** The context's clock stands still while the machine is starved; a step of this size is taken over at once. */
const STEP_SECONDS = 0.03;
const MAX_QUEUED_SECONDS = 2;
const REPORT_QUANTA = 8;

class SilkroomSound extends AudioWorkletProcessor {
  constructor() {
    super();
    this.clear();
    this.underruns = 0;
    this.quantum = 0;
    this.port.onmessage = ({ data }) => this.on(data);
  }

  on(data) {
    if (data.port) data.port.onmessage = (message) => this.on(message.data);
    else if (data.reset) this.clear();
    else this.take(data);
  }

  clear() {
    this.blocks = [];
    /** Samples of the first block that are played already. */
    this.position = 0;
    this.queued = 0;
    this.playing = false;
    this.rate = 1;
    /** How long after its capture each of the last pieces came, in seconds. */
    this.lateness = [];
    this.arrivedAt = -Infinity;
    this.heard = 0;
    this.safe = 0;
    this.extra = 0;
    this.dryAt = -Infinity;
    /** Times are large: they are counted from the first piece, on this machine's clock from its arrival. */
    this.zero = null;
    this.wallZero = 0;
    /** This machine's clock minus the context's. */
    this.offset = 0;
  }

  take({ time, channels }) {
    if (this.zero === null) {
      this.zero = time;
      this.wallZero = Date.now();
      this.offset = -currentTime;
    }
    const start = (time - this.zero) / 1e6;
    const wall = (Date.now() - this.wallZero) / 1000;
    const step = wall - currentTime - this.offset;
    this.offset += Math.abs(step) > STEP_SECONDS ? step : step * 0.05;
    this.note(wall, wall - start);
    this.blocks.push({ start, time, channels });
    this.queued += channels[0].length;
    while (this.queued > MAX_QUEUED_SECONDS * sampleRate) this.forget();
  }

  note(wall, late) {
    const together = wall - this.arrivedAt < TOGETHER_SECONDS;
    this.arrivedAt = wall;
    if (together) return;
    this.lateness.push(late);
    if (this.lateness.length > REMEMBERED) this.lateness.shift();
    this.heard += 1;
    if (this.heard % LOOK_EVERY && this.heard > LOOK_EVERY) return;
    const ordered = [...this.lateness].sort((one, other) => one - other);
    this.safe = ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * SHARE))];
    if (this.extra && currentTime - this.dryAt > TROUBLED_SECONDS) this.extra = Math.max(0, this.extra - 0.002);
  }

  /** Seconds after capture at which sound should be played. */
  wanted() {
    return this.safe + MARGIN + this.extra;
  }

  /** Seconds after capture at which the next sample would be played now. */
  delay() {
    return currentTime + this.offset - (this.blocks[0].start + this.position / sampleRate);
  }

  forget() {
    const [block] = this.blocks.splice(0, 1);
    this.queued -= block.channels[0].length;
    this.position = Math.max(0, this.position - block.channels[0].length);
  }

  process(_inputs, [output]) {
    if (this.blocks.length) this.play(output);
    this.report();
    return true;
  }

  play(output) {
    const length = output[0].length;
    if (!this.playing) {
      this.startAt(this.delay() - this.wanted());
      if (!this.playing) return;
    }
    if (this.queued - this.position < length * this.rate + 1) {
      this.runDry();
      return;
    }
    this.steer();
    this.render(output, length);
  }

  runDry() {
    this.underruns += 1;
    this.playing = false;
    this.rate = 1;
    if (currentTime - this.dryAt < TROUBLED_SECONDS) this.extra = Math.min(EXTRA_MOST, this.extra + EXTRA_STEP);
    this.dryAt = currentTime;
  }

  /** Begin when the first sample is due; what is overdue is left out. */
  startAt(excess) {
    if (excess < 0) return;
    this.skip(excess);
    this.playing = this.blocks.length > 0;
  }

  skip(seconds) {
    this.position += seconds * sampleRate;
    while (this.blocks.length && this.position >= this.blocks[0].channels[0].length) this.forget();
    if (!this.blocks.length) this.position = 0;
  }

  steer() {
    const excess = this.delay() - this.wanted();
    if (excess > HARD_EXCESS) {
      this.skip(excess);
      if (!this.blocks.length) this.playing = false;
    } else if (excess > 0.012) this.rate = 1.015;
    else if (excess > 0.003) this.rate = Math.max(this.rate, 1.006);
    else if (excess < -0.02) this.rate = 0.994;
    else if (excess < 0.0005) this.rate = 1;
  }

  render(output, length) {
    for (let index = 0; index < length && this.blocks.length; index += 1) {
      const { channels } = this.blocks[0];
      const size = channels[0].length;
      const whole = Math.floor(this.position);
      const part = this.position - whole;
      const following = whole + 1 < size ? channels : this.blocks[1]?.channels;
      const at = whole + 1 < size ? whole + 1 : 0;
      for (let channel = 0; channel < output.length; channel += 1) {
        const source = Math.min(channel, channels.length - 1);
        const here = channels[source][whole];
        const next = following ? following[Math.min(channel, following.length - 1)][at] : here;
        output[channel][index] = here + (next - here) * part;
      }
      this.position += this.rate;
      if (this.position >= size) this.forget();
    }
  }

  report() {
    this.quantum += 1;
    if (this.quantum % REPORT_QUANTA) return;
    const block = this.blocks[0];
    this.port.postMessage({
      // the next sample of the queue is the first of the next quantum
      frame: currentFrame + 128,
      time: block ? block.time + (this.position * 1e6) / sampleRate : 0,
      playing: this.playing,
      delay: block ? this.delay() : 0,
      wanted: this.wanted(),
      underruns: this.underruns,
    });
  }
}

registerProcessor("silkroom-sound", SilkroomSound);
