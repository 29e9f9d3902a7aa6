/** After the show: it says so, and lists what was shown. */
import { h } from "../dom.js";
import { dayAndTime } from "../words.js";
import { frame, named, showPrice } from "./garment.js";

export function showOver(root, state, { productUrl, shopUrl, recordingUrl, held }) {
  if (!root.hidden) return;
  root.hidden = false;
  const isCancelled = state.broadcast.state === "cancelled";
  const { title, shop, ended_at_ms: endedAt } = state.broadcast;
  root.replaceChildren(
    h("div", { class: "over__words" },
      h("p", { class: "quiet" }, [title, endedAt && dayAndTime(endedAt)].filter(Boolean).join(" · ")),
      h("h2", {}, isCancelled ? gettext("The show was cancelled") : gettext("The show is over")),
      h("p", { class: "lead" }, isCancelled ? gettext("It will not take place. These garments would have been shown.")
        : gettext("Thank you for having been there. This is what was shown.")),
      held,
      recordingUrl ? filmOf(recordingUrl) : null,
      h("p", { class: "row", style: { "justify-content": "center" } },
        shopUrl ? h("a", { class: "button button--second", href: shopUrl }, interpolate(gettext("To %s"), [shop.name])) : null)),
    h("ul", { class: "tiles" }, state.tray.map((garment) => {
      const price = h("p", { class: "figures" });
      showPrice(price, garment);
      const url = productUrl(garment.code);
      return h("li", { class: "tile" }, frame(garment, ""), h("div", {},
        h("p", { class: "tile__name" }, url ? h("a", { href: url }, named(garment)) : named(garment)), price));
    })),
  );
}

/** The recording, in the page: whoever sees it again stays where the garments are. */
function filmOf(url) {
  const film = h("video", { class: "over__film", controls: true, preload: "metadata", "aria-label": gettext("See it again") });
  film.playsInline = true;
  film.src = url;
  return film;
}
