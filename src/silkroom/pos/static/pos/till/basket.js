/** The sale under the clerk's hands: pure, and the same sums as the house makes (`pos/rules.py`). */

/** The price of one piece with `percent` taken off, in whole minor units. */
export function priceAfter(listMinor, percent) {
  return listMinor - Math.floor((listMinor * percent) / 100);
}

export const emptyBasket = () => ({ percent: 0, lines: [] });

/** One more piece of a variant; a garment stands in a basket once. */
export function add(basket, variant, title) {
  const before = basket.lines.find((line) => line.variant === variant.id);
  if (before) return { ...basket, lines: basket.lines.map((line) => (line === before ? { ...line, quantity: line.quantity + 1 } : line)) };
  const line = { variant: variant.id, quantity: 1, list_price_minor: variant.price_minor, sku: variant.sku, title };
  return { ...basket, lines: [...basket.lines, line] };
}

/** Another number of pieces; 0 takes the garment out. */
export function setQuantity(basket, variant, quantity) {
  const lines = basket.lines.map((line) => (line.variant === variant ? { ...line, quantity } : line));
  return { ...basket, lines: lines.filter((line) => line.quantity > 0) };
}

/** Each garment at the price of today. */
export function reprice(basket, variants) {
  return { ...basket, lines: basket.lines.map((line) => ({ ...line, list_price_minor: variants.get(line.variant)?.price_minor ?? line.list_price_minor })) };
}

export const goods = (basket) => basket.lines.reduce((sum, line) => sum + line.list_price_minor * line.quantity, 0);
export const total = (basket) => basket.lines.reduce((sum, line) => sum + priceAfter(line.list_price_minor, basket.percent) * line.quantity, 0);
export const pieces = (basket) => basket.lines.reduce((sum, line) => sum + line.quantity, 0);

/** What the house is told of a sale, without its number. */
export function receiptOf(basket, tenders, shift, moment) {
  return {
    shift,
    sold_at: moment,
    discount_percent: basket.percent,
    lines: basket.lines.map((line) => ({
      variant: line.variant, quantity: line.quantity, list_price_minor: line.list_price_minor, unit_price_minor: priceAfter(line.list_price_minor, basket.percent),
    })),
    tenders: tenders.map(({ kind, amount_minor, given_minor }) => ({ kind, amount_minor, given_minor })),
  };
}

/** Pieces of each variant in receipts that the house has not got yet. */
export function underWay(receipts) {
  const found = new Map();
  for (const one of receipts) {
    if (one.state === "void") continue;
    for (const line of one.lines) found.set(line.variant, (found.get(line.variant) ?? 0) + line.quantity);
  }
  return found;
}

/** May the basket be sold without a line: are all its pieces booked to this till and not sold yet? */
export function isCovered(lines, variants, receipts) {
  const gone = underWay(receipts);
  return lines.every((line) => line.quantity <= (variants.get(line.variant)?.leased ?? 0) - (gone.get(line.variant) ?? 0));
}
