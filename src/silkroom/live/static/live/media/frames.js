/** Binary frames of the ingest and watch protocols; src/silkroom/live/relay/README.md describes every byte. */

export const KEY = 0;
export const DELTA = 1;
export const SOUND = 2;
export const SLICE = 3;
export const INIT = 16;
export const FRAGMENT = 17;

export const HEADER_BYTES = 13;
export const MAX_PAYLOAD = 768 * 1024;

/** A frame with room for `size` bytes of payload: [whole buffer, view of the payload]. */
export function newFrame(kind, timeUs, durationUs, size) {
  const buffer = new ArrayBuffer(HEADER_BYTES + size);
  const view = new DataView(buffer);
  view.setUint8(0, kind);
  view.setBigInt64(1, BigInt(Math.round(timeUs)));
  view.setUint32(9, Math.max(0, Math.round(durationUs || 0)));
  return [buffer, new Uint8Array(buffer, HEADER_BYTES)];
}

/** Reads a frame; the payload is a view, not a copy. Relay time in microseconds fits a double exactly. */
export function readFrame(buffer) {
  const view = new DataView(buffer);
  return {
    kind: view.getUint8(0),
    time: Number(view.getBigInt64(1)),
    duration: view.getUint32(9),
    payload: new Uint8Array(buffer, HEADER_BYTES),
  };
}

export function toBase64(data) {
  return btoa(String.fromCharCode(...new Uint8Array(data)));
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** The address of a gateway's route; `gateway` is its base as pages know it, such as https://shop.example. */
export function gatewayAddress(gateway, path, query = {}) {
  const url = new URL(gateway || "/", location.href);
  url.pathname = url.pathname.replace(/\/+$/, "") + path;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

export function socketAddress(gateway, path, query) {
  const url = gatewayAddress(gateway, path, query);
  url.protocol = url.protocol.replace("http", "ws");
  return url;
}
