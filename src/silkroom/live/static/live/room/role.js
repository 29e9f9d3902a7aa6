/** The small badge beside the name of somebody who speaks for the shop. */
import { h } from "../dom.js";

const names = { host: () => gettext("host"), assistant: () => gettext("shop") };

export function roleBadge(role) {
  return Object.hasOwn(names, role ?? "") ? h("span", { class: "role" }, names[role]()) : null;
}
