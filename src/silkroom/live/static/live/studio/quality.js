/** What a line is good for: how many bits of picture may be sent over it, and how to say so. */

/** Of the measured pace: lines are shared and change, and sound goes along. */
const SHARE = 0.65;

/** Bits of picture, whether it is good enough, and the words; best first. */
const LEVELS = [
  { bitrate: 3_000_000, state: "good", words: () => gettext("%s Mbit/s up: enough for a sharp picture") },
  { bitrate: 2_000_000, state: "good", words: () => gettext("%s Mbit/s up: enough for a good picture") },
  { bitrate: 1_000_000, state: "good", words: () => gettext("%s Mbit/s up: enough for a plain picture. Fine fabric looks softer.") },
  { bitrate: 500_000, state: "bad", words: () => gettext("%s Mbit/s up: the picture will be soft. Go nearer to the router, or use another network.") },
  { bitrate: 300_000, state: "bad", words: () => gettext("%s Mbit/s up: too little for a picture that people like to watch. Use another network.") },
];

/** {bitrate, state: "good" | "bad", text} for a measured pace in bits per second. */
export function qualityFor(pace) {
  const level = LEVELS.find(({ bitrate }) => pace * SHARE >= bitrate) ?? LEVELS.at(-1);
  return { bitrate: level.bitrate, state: level.state, text: interpolate(level.words(), [(pace / 1_000_000).toFixed(1)]) };
}
