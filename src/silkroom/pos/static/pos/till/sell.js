/** Where one sells: what there is on one side, the basket with its two large keys on the other. */

import { goods, pieces, priceAfter, total } from "./basket.js";
import { canScan, scanWithCamera } from "./camera.js";
import { h, icon, key, notice } from "./dom.js";
import { pricesOf } from "./garments.js";
import { money, named } from "./words.js";

/**
 * `till`: what the page works with: `garments`, `basket`, `currency`, `limit` (per cent), `left(variant)`, and the acts
 * `add(style, variant)`, `setQuantity`, `setPercent`, `pay`, `hold`, `more`.
 */
export function sellPage(till) {
  const said = h("div", { class: "sell__said" });
  const search = h("input", {
    class: "input", type: "search", id: "search", autocomplete: "off", spellcheck: "false", placeholder: gettext("Scan, or type a name"), "aria-label": gettext("Scan, or type a name"),
  });
  const found = h("ul", { class: "sell__found" });
  const basket = h("section", { class: "sell__basket", "aria-label": gettext("Basket") });
  const form = h(
    "form", { class: "sell__search", role: "search", onsubmit: enter }, search,
    canScan() && key("", () => scanWithCamera(take), { kind: "icon button--second", sign: "camera", "aria-label": gettext("Scan with the camera") }),
  );
  const page = h("div", { class: "sell" }, h("section", { class: "sell__shelf", "aria-label": gettext("Garments") }, form, said, found), basket);

  /** Enter: a code is put into the basket; nothing typed means to pay. */
  function enter(event) {
    event.preventDefault();
    const typed = search.value.trim();
    if (!typed) return till.basket.lines.length ? till.pay() : undefined;
    return take(typed);
  }

  function take(code) {
    const one = till.garments.scanned(code);
    if (one) {
      put(one.style, one.variant);
      search.value = "";
      return list();
    }
    const styles = till.garments.search(code);
    if (styles.length === 1) return choose(styles[0]);
    if (!styles.length) say(interpolate(gettext("“%s” is not known here."), [code]));
    search.select();
    return list();
  }

  function say(words) {
    said.replaceChildren(...(words ? [notice(words, "warn")] : []));
  }

  function put(style, variant) {
    if (till.left(variant) <= 0) return say(interpolate(gettext("%s: none left here."), [till.garments.title(style, variant)]));
    say("");
    till.add(style, variant);
    return fill();
  }

  function list() {
    const styles = till.garments.search(search.value);
    found.replaceChildren(...styles.map((style) => {
      const [low, high] = pricesOf(style);
      const price = money(low, till.currency);
      return h(
        "li", {}, h(
          "button", { type: "button", class: "sell__style", onclick: () => choose(style) },
          h("span", { class: "frame" }, style.picture ? h("img", { src: style.picture, alt: "", width: "120", height: "160", loading: "lazy", decoding: "async" }) : h("span", { class: "frame__bare" }, icon("hanger"))),
          h("span", { class: "sell__name" }, named(style)),
          h("span", { class: "money quiet" }, high > low ? interpolate(gettext("from %s"), [price]) : price),
        ),
      );
    }));
    if (!styles.length) found.replaceChildren(h("li", { class: "quiet sell__none" }, till.garments.styles.length ? gettext("Nothing fits. Try fewer words.") : gettext("No garment is on sale yet.")));
  }

  /** Colours by sizes: one tap is one piece. */
  function choose(style) {
    const dialog = h("dialog", { class: "dialog sell__choose", "aria-labelledby": "choose-name" });
    const close = () => dialog.close();
    const cells = (colour) => style.sizes.map((size) => {
      const variant = style.variants.find((one) => one.colour === colour.id && one.size === size.id);
      if (!variant) return h("td", {});
      const left = till.left(variant);
      const label = interpolate(gettext("%(what)s, %(left)s left"), { what: till.garments.title(style, variant), left }, true);
      return h("td", {}, h(
        "button", { type: "button", class: "cell", "aria-label": label, disabled: left <= 0, dataset: left <= 0 ? { out: "" } : left < 3 ? { few: "" } : {}, onclick: () => { put(style, variant); close(); } },
        h("span", {}, String(Math.max(0, left))), h("small", {}, money(variant.price_minor, till.currency)),
      ));
    });
    const seen = style.colours.filter((colour) => style.variants.some((one) => one.colour === colour.id));
    dialog.append(
      h("h2", { class: "dialog__title", id: "choose-name" }, named(style)),
      h("div", { class: "sell__pictures" }, seen.filter((one) => one.picture).map((one) => h("img", { src: one.picture, alt: named(one), width: "90", height: "120" }))),
      h("table", { class: "stockgrid" },
        h("thead", {}, h("tr", {}, h("td", {}), style.sizes.map((size) => h("th", { scope: "col" }, size.label)))),
        h("tbody", {}, seen.map((colour) => h("tr", {}, h("th", { scope: "row" }, h("span", { class: "stockgrid__colour" }, h("span", { class: "swatch", style: { "--swatch": colour.swatch } }), named(colour))), cells(colour))))),
      h("div", { class: "form__keys" }, key(gettext("Back"), close)),
    );
    dialog.addEventListener("close", () => { dialog.remove(); search.focus(); });
    document.body.append(dialog);
    dialog.showModal();
  }

  function fill() {
    const { lines, percent } = till.basket;
    const percentField = h("input", { class: "input figures", id: "percent", type: "number", min: "0", max: String(till.limit), step: "1", value: String(percent), inputmode: "numeric", onchange: () => {
      till.setPercent(Math.min(till.limit, Math.max(0, Math.trunc(Number(percentField.value)) || 0)));
      fill();
    } });
    basket.replaceChildren(
      lines.length
        ? h("ul", { class: "sell__lines" }, lines.map((line) => h(
          "li", { class: "sell__line", dataset: { variant: String(line.variant) } },
          h("span", { class: "sell__what" }, line.title, h("span", { class: "quiet" }, line.sku)),
          h("span", { class: "sell__count" },
            key("", () => { till.setQuantity(line.variant, line.quantity - 1); fill(); }, { kind: "icon button--second", sign: "minus", "aria-label": interpolate(gettext("One less: %s"), [line.title]) }),
            h("output", { class: "figures" }, String(line.quantity)),
            key("", () => { till.setQuantity(line.variant, line.quantity + 1); fill(); }, { kind: "icon button--second", sign: "plus", disabled: till.left(till.garments.variants.get(line.variant) ?? {}) <= 0, "aria-label": interpolate(gettext("One more: %s"), [line.title]) })),
          h("span", { class: "money" }, money(priceAfter(line.list_price_minor, percent) * line.quantity, till.currency)),
        )))
        : h("p", { class: "quiet sell__none" }, gettext("Scan a garment, or tap its picture.")),
      h("div", { class: "sell__sum" },
        lines.length && till.limit > 0 ? h("div", { class: "sell__percent" }, h("label", { for: "percent" }, gettext("Taken off, in per cent")), percentField) : undefined,
        percent > 0 && lines.length ? h("p", { class: "quiet" }, interpolate(gettext("%s taken off"), [money(goods(till.basket) - total(till.basket), till.currency)])) : undefined,
        h("p", { class: "sell__total" }, h("span", {}, interpolate(ngettext("%s piece", "%s pieces", pieces(till.basket)), [pieces(till.basket)])), h("strong", { class: "money", id: "total" }, money(total(till.basket), till.currency))),
        h("div", { class: "sell__keys" },
          key(gettext("Hold"), till.hold, { disabled: !lines.length, id: "hold" }),
          key(gettext("Pay"), till.pay, { kind: "large", disabled: !lines.length, id: "pay" }),
          key(till.parked ? interpolate(gettext("More (%s on hold)"), [till.parked]) : gettext("More"), till.more, { kind: "plain", id: "more" }))),
    );
  }
  search.addEventListener("input", list);
  list();
  fill();
  if (till.words) say(till.words);
  queueMicrotask(() => search.focus());
  return page;
}
