/** A studio without a camera: a canvas in one colour and a steady tone go through the real encoder. */

import { MediaPublisher } from "/media/encoder.js";

const canvas = document.getElementById("picture");
const context = canvas.getContext("2d", { alpha: false });
globalThis.colour = "rgb(200, 30, 30)";
globalThis.states = [];

function draw(now) {
  requestAnimationFrame(draw);
  context.fillStyle = globalThis.colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  // something must move, or the canvas captures nothing
  context.fillStyle = "#888";
  context.fillRect((now / 10) % canvas.width, 0, 8, 8);
}
requestAnimationFrame(draw);

/** Turn the phone: the same track, another shape. */
globalThis.turn = () => {
  [canvas.width, canvas.height] = [canvas.height, canvas.width];
};

const sound = new AudioContext({ sampleRate: 48_000 });
const out = sound.createMediaStreamDestination();
const tone = new OscillatorNode(sound, { frequency: 440 });
tone.connect(new GainNode(sound, { gain: 0.5 })).connect(out);
tone.start();
await sound.resume();

const stream = canvas.captureStream(30);
for (const track of out.stream.getAudioTracks()) stream.addTrack(track);
globalThis.publisher = new MediaPublisher({ getTicket: () => "ingest-show-1", bitrate: 500_000 });
globalThis.publisher.addEventListener("state", ({ detail }) => globalThis.states.push(detail.state));
await globalThis.publisher.start(stream);
