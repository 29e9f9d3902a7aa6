/** How much this line carries towards the gateway, measured on the way that video takes. */

import { socketAddress } from "./frames.js";

const FRAME_BYTES = 16 * 1024;
const WAITING_BYTES = 128 * 1024; // more need not wait in the browser for the line to be full
const MOST_BYTES = 4_000_000;
const FOR_MS = 3_000;
const PATIENCE_MS = 15_000;
const LOOK_MS = 10;

/** Sends random bytes for three seconds. Resolves to bits per second; rejects when the gateway is not reached. */
export function measureUplink({ gateway, ticket, forMs = FOR_MS }) {
  const frame = crypto.getRandomValues(new Uint8Array(FRAME_BYTES)); // nothing on the way can make it smaller
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(socketAddress(gateway, "/gateway/uplink", { ticket }));
    const patience = setTimeout(() => end(reject, new Error("no answer")), PATIENCE_MS);
    let sender;
    let sent = 0;
    function end(settle, value) {
      clearTimeout(patience);
      clearInterval(sender);
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      settle(value);
    }
    socket.onopen = () => {
      const until = performance.now() + forMs;
      sender = setInterval(() => {
        if (performance.now() >= until || sent >= MOST_BYTES) {
          clearInterval(sender);
          socket.send("done");
          return;
        }
        while (socket.bufferedAmount < WAITING_BYTES && sent < MOST_BYTES) {
          socket.send(frame);
          sent += FRAME_BYTES;
        }
      }, LOOK_MS);
    };
    socket.onmessage = ({ data }) => {
      const { bits_per_second: pace } = JSON.parse(data);
      if (pace > 0) end(resolve, pace);
      else end(reject, new Error("nothing arrived"));
    };
    socket.onclose = () => end(reject, new Error("closed"));
  });
}
