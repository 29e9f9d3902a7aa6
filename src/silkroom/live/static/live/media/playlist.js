/** Reads an LL-HLS media playlist as far as this player needs it. */

/** Attributes of a tag: NAME=value or NAME="quoted, value". */
export function attributes(text) {
  const found = {};
  for (const [, name, quoted, plain] of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))/g)) {
    found[name] = quoted ?? plain;
  }
  return found;
}

/**
 * {ended, holdBack, partTarget, parts, hint}; each part {number, index, url, map, startMs, duration, independent,
 * discontinuity}. Complete segments without listed parts count as one part with index null.
 */
export function readPlaylist(text, base) {
  const list = { ended: false, holdBack: 1, partTarget: 0.3, parts: [], hint: null };
  let number = 0;
  let index = 0;
  let map = null;
  let clock = null;
  let discontinuity = false;
  let duration = 0;
  const resolve = (address) => new URL(address, base).href;
  for (const line of text.split("\n")) {
    const [, tag, rest] = /^#(EXT[A-Z0-9-]*):?(.*)$/.exec(line) ?? [];
    if (tag === "EXT-X-MEDIA-SEQUENCE") number = Number(rest);
    else if (tag === "EXT-X-SERVER-CONTROL") list.holdBack = Number(attributes(rest)["PART-HOLD-BACK"] ?? 1);
    else if (tag === "EXT-X-PART-INF") list.partTarget = Number(attributes(rest)["PART-TARGET"]);
    else if (tag === "EXT-X-MAP") map = resolve(attributes(rest).URI);
    else if (tag === "EXT-X-PROGRAM-DATE-TIME") clock = Date.parse(rest);
    else if (tag === "EXT-X-DISCONTINUITY") discontinuity = true;
    else if (tag === "EXT-X-ENDLIST") list.ended = true;
    else if (tag === "EXTINF") duration = Number.parseFloat(rest);
    else if (tag === "EXT-X-PART") {
      const part = attributes(rest);
      const length = Number(part.DURATION);
      list.parts.push({
        number,
        index,
        url: resolve(part.URI),
        map,
        startMs: clock,
        duration: length,
        independent: part.INDEPENDENT === "YES",
        discontinuity: discontinuity && index === 0,
      });
      index += 1;
      if (clock !== null) clock += length * 1000;
    } else if (tag === "EXT-X-PRELOAD-HINT") {
      const hint = attributes(rest);
      if (hint.TYPE === "PART") list.hint = { number, index, url: resolve(hint.URI) };
    } else if (line && !line.startsWith("#")) {
      if (index === 0) {
        const one = { number, index: null, url: resolve(line), map, startMs: clock, duration, independent: true };
        list.parts.push({ ...one, discontinuity });
      }
      number += 1;
      index = 0;
      discontinuity = false;
    }
  }
  return list;
}
