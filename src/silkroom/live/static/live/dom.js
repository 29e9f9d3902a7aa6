/** Making and changing elements. No framework: elements are made once and then told what changed. */

const SVG = "http://www.w3.org/2000/svg";
const sprite = () => document.documentElement.dataset.icons ?? document.querySelector("[data-icons]")?.dataset.icons ?? "";

/**
 * Makes an element: `h("p", { class: "quiet", onclick: f, hidden: true }, "text", child)`.
 * Children are put in as text or nodes, never as markup: what viewers write cannot become an element.
 */
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
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** An icon of the sprite, for decoration; what it means stands in the label of its button. */
export function icon(name, extra = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite()}#${name}`);
  svg.append(use);
  return svg;
}

/** Another icon in an element that already shows one. */
export function setIcon(element, name) {
  const use = element.querySelector("use");
  const href = `${sprite()}#${name}`;
  if (use && use.getAttribute("href") !== href) use.setAttribute("href", href);
}

/** Changes the text only if it is another one, so that nothing is laid out or read aloud again. */
export function setText(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/**
 * Brings the children of `parent` in line with `items`: keeps an element by its key, makes what is missing, removes what
 * is gone, and calls `update(element, item)` for each. Focus and running movements survive.
 */
export function keyed(parent, items, keyOf, make, update) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let element = before.get(key);
    if (element) before.delete(key);
    else {
      element = make(item);
      element.dataset.key = key;
    }
    update?.(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const gone of before.values()) gone.remove();
}

/** The SVG of a countdown ring: two circles whose length is 100. Give the `.ring` around it `--left` from 1 to 0. */
export function ring() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 36 36");
  svg.setAttribute("aria-hidden", "true");
  for (let turn = 0; turn < 2; turn += 1) {
    const circle = document.createElementNS(SVG, "circle");
    for (const [name, value] of Object.entries({ cx: 18, cy: 18, r: 16, pathLength: 100 })) circle.setAttribute(name, value);
    svg.append(circle);
  }
  return svg;
}

/** The JSON of a `json_script` block; undefined if the page has none of that name. */
export function readJson(id) {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent) : undefined;
}

/** Keeps the screen lit as long as `wanted()` holds; a canvas does not do that by itself, as a video does. */
export function stayAwake(wanted) {
  let lock;
  const look = async () => {
    if (document.hidden || !navigator.wakeLock) return;
    if (wanted() && (!lock || lock.released)) lock = await navigator.wakeLock.request("screen").catch(() => undefined);
    else if (!wanted() && lock && !lock.released) await lock.release();
  };
  document.addEventListener("visibilitychange", look);
  setInterval(look, 5_000);
}

export const wantsCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
