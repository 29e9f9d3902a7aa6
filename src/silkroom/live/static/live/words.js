/** How money, moments and spans of time are written, in the language of the page. */

const language = document.documentElement.lang || "en";
const isChinese = language.startsWith("zh");
const formats = new Map();

function moneyFormat(currency) {
  if (!formats.has(currency)) {
    const whole = new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    const digits = whole.resolvedOptions().maximumFractionDigits;
    const short = new Intl.NumberFormat(language, {
      style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: 0, maximumFractionDigits: 0,
    });
    formats.set(currency, { whole, short, digits });
  }
  return formats.get(currency);
}

/** 69900, "CNY" -> "¥699"; 69950 -> "¥699.50". */
export function money(minor, currency) {
  const { whole, short, digits } = moneyFormat(currency);
  const unit = 10 ** digits;
  return minor % unit === 0 ? short.format(minor / unit) : whole.format(minor / unit);
}

/** What was typed into a field of money, as minor units: "699.5", "CNY" -> 69950. */
export function minorOf(typed, currency) {
  return Math.round(Number(typed) * 10 ** moneyFormat(currency).digits);
}

/** The price of a garment whose variants may differ: "¥699", or "from ¥699". */
export function priceSpan(prices, currency) {
  const low = Math.min(...prices);
  const text = money(low, currency);
  return Math.max(...prices) > low ? interpolate(gettext("from %s"), [text]) : text;
}

/** How many, short: 999, 1.2K, 12K; in Chinese 1.2万. */
export function count(number) {
  return new Intl.NumberFormat(language, { notation: number < 10_000 ? "standard" : "compact", maximumFractionDigits: 1 }).format(number);
}

/** How many, in as few signs as possible: 1.2K, 3.4万. */
export function shortCount(number) {
  return new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(number);
}

/** Money on a board, short where it is large: ¥12,345 or 12.3万. */
export function boardMoney(minor, currency) {
  const { digits } = moneyFormat(currency);
  const major = Math.round(minor / 10 ** digits);
  const large = major >= (isChinese ? 100_000 : 1_000_000);
  return new Intl.NumberFormat(language, {
    style: "currency", currency, currencyDisplay: "narrowSymbol", notation: large ? "compact" : "standard",
    minimumFractionDigits: 0, maximumFractionDigits: large ? 1 : 0,
  }).format(major);
}

const two = (number) => String(number).padStart(2, "0");

/** 754000 -> "12:34"; 4354000 -> "1:12:34". Rounds up, so that a countdown ends when it shows 0:00. */
export function clock(milliseconds, round = Math.ceil) {
  const seconds = Math.max(0, round(milliseconds / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** The time of day at a moment in milliseconds since 1970. */
export function timeOfDay(milliseconds) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(milliseconds);
}

/** Day and time of day, for a show that has not begun. */
export function dayAndTime(milliseconds) {
  return new Intl.DateTimeFormat(language, {
    weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
  }).format(milliseconds);
}

/** 420 -> "0.4 s". */
export function seconds(milliseconds) {
  return interpolate(gettext("%s s"), [(milliseconds / 1000).toFixed(1)]);
}

/** The name of a style, colour or measure in the language of the page. */
export function named(thing) {
  return (!isChinese && thing.name_en) || thing.name;
}
