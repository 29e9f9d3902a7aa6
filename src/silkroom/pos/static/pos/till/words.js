/** How money and moments are written, in the language of the page. */

const language = document.documentElement.lang || "en";
const isChinese = language.startsWith("zh");
const formats = new Map();

function formatOf(currency) {
  if (!formats.has(currency)) {
    const long = new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    formats.set(currency, { long, digits: long.resolvedOptions().maximumFractionDigits });
  }
  return formats.get(currency);
}

/** 69900, "CNY" -> "¥699.00". */
export function money(minor, currency) {
  const { long, digits } = formatOf(currency);
  return long.format(minor / 10 ** digits);
}

/** What was typed, as minor units; undefined if it is no amount: "699.5", "CNY" -> 69950. */
export function minorOf(typed, currency) {
  const { digits } = formatOf(currency);
  const plain = typed.trim().replace(/[,，\s¥￥$€£]/g, "");
  const found = /^(\d{1,10})(?:[.。](\d*))?$/.exec(plain);
  if (!found || (found[2] ?? "").length > digits) return undefined;
  return Number(found[1]) * 10 ** digits + Number((found[2] ?? "").padEnd(digits, "0") || 0);
}

/** Minor units as a field shows them: 69950 -> "699.50", 69900 -> "699". */
export function typed(minor, currency) {
  const { digits } = formatOf(currency);
  return minor % 10 ** digits === 0 ? String(minor / 10 ** digits) : (minor / 10 ** digits).toFixed(digits);
}

/** The name of a shop, style or colour in the language of the page. */
export function named(thing) {
  return (!isChinese && thing.name_en) || thing.name;
}

export function timeOfDay(milliseconds) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(milliseconds);
}

export function dayAndTime(milliseconds, timeZone) {
  return new Intl.DateTimeFormat(language, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZone }).format(milliseconds);
}
