/** Sends a clock in picture and sound through the real encoder. */

import { MediaPublisher } from "/media/encoder.js";
import { drawClock } from "/bench/picture-clock.js";

const CLICK_MS = 500;
const canvas = document.getElementById("picture");
const context = canvas.getContext("2d", { alpha: false });
const publisher = new MediaPublisher({ gateway: location.origin, getTicket: () => "ingest", bitrate: 1_000_000 });

function draw(now) {
  requestAnimationFrame(draw);
  const turn = now / 700;
  context.fillStyle = "#345";
  context.fillRect(0, 32, 640, 328);
  for (let index = 0; index < 24; index += 1) {
    context.fillStyle = `hsl(${index * 15} 60% 55%)`;
    const x = 320 + Math.sin(turn + index) * 280;
    const y = 200 + Math.cos(turn * 1.3 + index * 2) * 120;
    context.fillRect(x - 12, y - 12, 24, 24);
  }
  drawClock(context, 640, publisher.clock.now());
}
requestAnimationFrame(draw);

/** Clicks at each multiple of CLICK_MS of the gateway's clock. */
async function clicks() {
  const sound = new AudioContext({ latencyHint: 0, sampleRate: 48_000 });
  const out = sound.createMediaStreamDestination();
  const hum = new ConstantSourceNode(sound, { offset: 0 });
  hum.connect(out);
  hum.start();
  await sound.resume();
  const looks = [];
  let planned = 0;
  setInterval(() => {
    // when a moment of this context is rendered: the tightest of the last looks (a starved context loses time)
    looks.push(performance.now() - sound.currentTime * 1000);
    if (looks.length > 300) looks.shift();
  }, 3);
  setInterval(() => {
    if (!publisher.clock.isKnown || looks.length < 50) return;
    const shift = Math.min(...looks);
    const ahead = publisher.clock.now() - performance.now();
    const now = publisher.clock.now();
    const next = (Math.floor(now / CLICK_MS) + 1) * CLICK_MS;
    if (next === planned || next - now < 40) return;
    planned = next;
    const at = (next - ahead - shift) / 1000;
    const tone = new OscillatorNode(sound, { frequency: 2_000 });
    const gain = new GainNode(sound, { gain: 0 });
    gain.gain.setValueAtTime(0.8, at);
    gain.gain.setValueAtTime(0, at + 0.03);
    tone.connect(gain).connect(out);
    tone.start(at);
    tone.stop(at + 0.05);
  }, 50);
  return out.stream;
}

const stream = canvas.captureStream(30);
for (const track of (await clicks()).getAudioTracks()) stream.addTrack(track);
publisher.addEventListener("state", ({ detail }) => report({ state: detail }));
publisher.addEventListener("problem", ({ detail }) => report({ problem: detail }));
await publisher.start(stream);

function report(message) {
  fetch("/bench/report", { method: "POST", body: JSON.stringify({ page: "studio", ...message }) });
}
addEventListener("error", ({ message }) => report({ error: message }));
addEventListener("unhandledrejection", ({ reason }) => report({ error: String(reason?.stack ?? reason) }));
