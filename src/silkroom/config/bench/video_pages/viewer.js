/** Plays in each way in turn, reads the clock out of the picture at each animation frame, and reports the delays. */

import "/media/player.js";
import { SPAN, readClock } from "/bench/picture-clock.js";

const CLICK_MS = 500;
const query = new URLSearchParams(location.search);
const settleMs = Number(query.get("settle"));
const sampleMs = Number(query.get("sample"));
const player = document.querySelector("silk-player");

function report(message) {
  return fetch("/bench/report", { method: "POST", body: JSON.stringify({ page: "viewer", ...message }) });
}
addEventListener("error", ({ message }) => report({ error: message }));
addEventListener("unhandledrejection", ({ reason }) => report({ error: String(reason?.stack ?? reason) }));

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function played(mode) {
  return new Promise((resolve, reject) => {
    player.addEventListener("playing", resolve, { once: true });
    player.addEventListener("failed", ({ detail }) => reject(new Error(`${mode}: ${detail.reason}`)), { once: true });
  });
}

/** Delays of each picture when it is first seen. `now` gives the gateway's time. */
function watchPicture(now, delays) {
  let last = null;
  let stopped = false;
  let unread = 0;
  const look = () => {
    if (stopped) return;
    requestAnimationFrame(look);
    const element = player.way?.element;
    const width = element?.videoWidth ?? element?.width;
    if (!width) return;
    const value = readClock(element, width);
    if (value === null) {
      unread += 1;
    } else if (value !== last) {
      last = value;
      const delay = (((now() % SPAN) - value + SPAN * 1.5) % SPAN) - SPAN / 2;
      delays.push(delay);
    }
  };
  requestAnimationFrame(look);
  return () => {
    stopped = true;
    return unread;
  };
}

/** Delays of the clicks when they leave the loudspeaker, in the instant player. */
async function watchSound(now, delays) {
  const { context, node } = player.way.sound;
  await context.audioWorklet.addModule("/bench/onset-worklet.js");
  const onset = new AudioWorkletNode(context, "onset", { numberOfOutputs: 0 });
  node.connect(onset);
  onset.port.onmessage = ({ data: frame }) => {
    const stamp = context.getOutputTimestamp();
    const heard = stamp.performanceTime + (frame / context.sampleRate - stamp.contextTime) * 1000;
    delays.push((now() - performance.now() + heard) % CLICK_MS);
  };
  return () => node.disconnect(onset);
}

async function measure(mode) {
  const start = performance.now();
  const playing = played(mode);
  player.attach({ gateway: location.origin, broadcast: "bench", getTicket: () => "watch", modes: [mode] });
  await player.setMuted(false);
  await playing;
  const firstPicture = performance.now() - start;
  await sleep(settleMs);
  const clock = player.way.clock;
  const now = () => clock.now();
  const picture = [];
  const sound = [];
  const stopPicture = watchPicture(now, picture);
  const stopSound = mode === "instant" ? await watchSound(now, sound) : null;
  const said = [];
  const timer = setInterval(() => said.push(player.delayMs), 100);
  await sleep(sampleMs);
  clearInterval(timer);
  const unread = stopPicture();
  stopSound?.();
  const detail = player.way.sound?.report ?? { target: player.way.buffer?.target };
  player.detach();
  await report({ result: { mode, picture, sound, said, unread, firstPicture, detail } });
}

for (const mode of query.get("modes").split(" ")) await measure(mode);
await report({ finished: true });
