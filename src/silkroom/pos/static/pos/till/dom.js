/** Making elements. Text is put in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/** `h("p", { class: "quiet", onclick: f, hidden: true }, "text", child)`. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** An icon of the sprite, for decoration. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.documentElement.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** A button. */
export function key(words, act, { kind = "second", sign, ...more } = {}) {
  return h("button", { type: "button", class: `button button--${kind}`, onclick: act, ...more }, sign && icon(sign), words);
}

/** A labelled field; `input` gets an id. */
export function field(words, input, help = "") {
  input.id ||= `f${(field.count = (field.count ?? 0) + 1)}`;
  if (help) input.setAttribute("aria-describedby", `${input.id}-help`);
  return h(
    "div", { class: "field" }, h("label", { class: "field__label", for: input.id }, words), input,
    help && h("p", { class: "field__help", id: `${input.id}-help` }, help),
  );
}

/** A notice that is read aloud. */
export function notice(words, tone = "bad") {
  return h("p", { class: `notice notice--${tone}`, role: "alert" }, icon(tone === "good" ? "check" : "warning"), h("span", {}, words));
}
