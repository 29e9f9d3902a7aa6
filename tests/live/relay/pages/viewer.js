/** A viewer's page: attaches the player and lets a test look at what is on screen. */

import "/media/player.js";

const player = document.querySelector("silk-player");
globalThis.player = player;
globalThis.heard = [];
for (const name of ["playing", "stalled", "mode", "state", "failed", "mutechange"]) {
  player.addEventListener(name, ({ detail }) => globalThis.heard.push({ name, ...detail }));
}

/** [red, green, blue] in the middle of the picture, and its size. */
globalThis.look = () => {
  const element = player.way?.element;
  const width = element?.videoWidth ?? element?.width;
  const height = element?.videoHeight ?? element?.height;
  if (!width) return null;
  const small = new OffscreenCanvas(1, 1).getContext("2d");
  small.drawImage(element, width / 2, height / 2, 4, 4, 0, 0, 1, 1);
  return { colour: [...small.getImageData(0, 0, 1, 1).data.slice(0, 3)], width, height };
};

/** Loudness of what the instant player plays, 0 to 1. */
globalThis.loudness = () => {
  const { node, context } = player.way?.sound ?? {};
  if (!node) return 0;
  globalThis.meter ??= new AnalyserNode(context, { fftSize: 2048 });
  if (globalThis.meter.context !== context) globalThis.meter = new AnalyserNode(context, { fftSize: 2048 });
  node.connect(globalThis.meter);
  const samples = new Float32Array(2048);
  globalThis.meter.getFloatTimeDomainData(samples);
  return Math.max(...samples.map(Math.abs));
};

const modes = new URLSearchParams(location.search).get("modes");
player.attach({ broadcast: "show", getTicket: () => "watch-show-1", modes: modes?.split(" ") });
