/** The shop's garments as the till keeps them: found by words, by SKU and by EAN. */

import { named } from "./words.js";

const MOST_FOUND = 60;

export class Garments {
  constructor(styles = []) {
    this.styles = styles;
    this.variants = new Map();
    this.byCode = new Map();
    for (const style of styles) {
      for (const variant of style.variants) {
        this.variants.set(variant.id, variant);
        this.byCode.set(variant.sku.toLowerCase(), { style, variant });
        if (variant.ean) this.byCode.set(variant.ean, { style, variant });
      }
    }
    this.texts = styles.map((style) => [style.name, style.name_en, style.article, ...style.colours.flatMap((one) => [one.name, one.name_en]), ...style.variants.map((one) => one.sku)].join(" ").toLowerCase());
  }

  /** Exactly one variant: what a scanner reads. */
  scanned(code) {
    return this.byCode.get(code.trim().toLowerCase());
  }

  /** Styles in which every word occurs. */
  search(words) {
    const all = words.toLowerCase().split(/\s+/).filter(Boolean);
    return this.styles.filter((_, at) => all.every((word) => this.texts[at].includes(word))).slice(0, MOST_FOUND);
  }

  title(style, variant) {
    const colour = style.colours.find((one) => one.id === variant.colour);
    const size = style.sizes.find((one) => one.id === variant.size);
    return [named(style), colour && named(colour), size?.label].filter(Boolean).join(" · ");
  }
}

/** "¥399", or the lowest with more above it. */
export function pricesOf(style) {
  const prices = style.variants.map((one) => one.price_minor);
  return [Math.min(...prices), Math.max(...prices)];
}
