/** A clock that a machine reads out of a picture: 20 bits of milliseconds in Gray code and 4 bits of check, 24 blocks. */

const BITS = 20;
const CHECK = 4;
const BLOCKS = BITS + CHECK;
export const SPAN = 2 ** BITS;

function checkOf(gray) {
  let sum = 0;
  for (let rest = gray; rest; rest >>>= CHECK) sum ^= rest & 15;
  return sum ^ 0b1010;
}

export function drawClock(context, width, ms) {
  const value = Math.floor(ms) % SPAN;
  const gray = value ^ (value >>> 1);
  const word = gray * 16 + checkOf(gray);
  const side = width / BLOCKS;
  for (let bit = 0; bit < BLOCKS; bit += 1) {
    context.fillStyle = Math.floor(word / 2 ** bit) % 2 ? "#fff" : "#000";
    context.fillRect(bit * side, 0, Math.ceil(side), 32);
  }
}

/** The strip is read in one go, at ten columns a block. */
const COLUMNS = BLOCKS * 10;
const small = new OffscreenCanvas(COLUMNS, 1);
const reader = small.getContext("2d", { willReadFrequently: true, alpha: false });

/** The value in a picture, or null when it cannot be read with certainty. */
export function readClock(source, width) {
  reader.drawImage(source, 0, 10, width, 12, 0, 0, COLUMNS, 1);
  const { data } = reader.getImageData(0, 0, COLUMNS, 1);
  let word = 0;
  for (let bit = 0; bit < BLOCKS; bit += 1) {
    const light = data[(bit * 10 + 5) * 4 + 1];
    if (light > 90 && light < 165) return null;
    if (light >= 165) word += 2 ** bit;
  }
  const gray = Math.floor(word / 16);
  if (checkOf(gray) !== word % 16) return null;
  let value = gray;
  for (let shift = 1; shift < BITS; shift *= 2) value ^= value >>> shift;
  return value;
}
