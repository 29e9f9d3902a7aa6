/** A garment's page: the price of what is chosen, its colour's picture, one order for one press. Works without it, too. */

const chooser = document.querySelector("[data-chooser]");
const price = document.querySelector("[data-price]");
const gallery = document.querySelector("[data-gallery]");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function money(minor, currency) {
  const format = new Intl.NumberFormat(document.documentElement.lang, {
    style: "currency", currency, currencyDisplay: "narrowSymbol", trailingZeroDisplay: "stripIfInteger",
  });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

function showColour(colour) {
  const picture = gallery?.querySelector(`[data-colour="${CSS.escape(colour)}"]`);
  if (!picture) return;
  const isRow = gallery.scrollWidth > gallery.clientWidth;
  if (isRow) gallery.scrollTo({ left: picture.offsetLeft - gallery.offsetLeft - parseFloat(getComputedStyle(gallery).paddingInlineStart), behavior: calm.matches ? "auto" : "smooth" });
  else gallery.prepend(picture);
}

function choose(target) {
  price.textContent = money(Number(target.dataset.price), price.dataset.currency);
  // The price that was seen goes with the order: if it has changed meanwhile, the buyer is told and nothing is ordered.
  const seen = chooser.elements.price_minor;
  seen.value = target.dataset.price;
  seen.disabled = false;
  showColour(target.dataset.colour);
}

chooser?.addEventListener("change", ({ target }) => {
  if (target.name === "variant") choose(target);
});
// Back from the sign-in page, or from a refusal, what was chosen is still chosen.
const chosen = chooser?.querySelector("[name=variant]:checked");
if (chosen) choose(chosen);

chooser?.addEventListener("submit", ({ submitter }) => {
  const buy = submitter ?? chooser.querySelector("[data-buy]");
  buy?.setAttribute("aria-busy", "true");
  // Coming back with the back key shows the page as it was left.
  addEventListener("pageshow", () => buy?.removeAttribute("aria-busy"), { once: true });
});
