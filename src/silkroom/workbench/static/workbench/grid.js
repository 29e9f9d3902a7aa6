/* The table of colours and sizes: rows come and go, Enter and arrows move, Ctrl+D fills down, a pasted column fills rows. */

import { judgeEan } from "./ean.js";

const form = document.querySelector("[data-grid]");
const table = form.querySelector("table");
const sizes = form.querySelector("[data-sizes]");

const bodies = () => [...table.tBodies];
const nextNumber = (rows, name) => 1 + Math.max(-1, ...rows.map((row) => Number(row.dataset[name])));

function stamp(kind, numbers) {
  const template = form.querySelector(`[data-template="${kind}"]`);
  const holder = document.createElement(kind === "size" ? "ul" : "tbody");
  holder.innerHTML = template.innerHTML.replaceAll("__c__", numbers.colour ?? "").replaceAll("__s__", numbers.size ?? "");
  const element = holder.firstElementChild;
  for (const key of element.querySelectorAll("[data-less]")) key.hidden = false;
  return element;
}

function nameRow(row, size) {
  const label = sizes.querySelector(`[data-size="${size}"] .grid__label`);
  row.querySelector("[data-size-name]").textContent = label.value || "–";
}

function addSize() {
  const number = nextNumber([...sizes.children], "size");
  sizes.append(stamp("size", { size: number }));
  for (const body of bodies()) {
    const row = stamp("row", { colour: body.dataset.colour, size: number });
    body.append(row);
    copyAbove(row, "price");
    nameRow(row, number);
  }
  sizes.lastElementChild.querySelector(".grid__label").focus();
}

function addColour() {
  const number = nextNumber(bodies(), "colour");
  const body = document.createElement("tbody");
  body.dataset.colour = number;
  body.append(stamp("colour", { colour: number }));
  table.append(body);
  for (const size of sizes.children) {
    const row = stamp("row", { colour: number, size: size.dataset.size });
    body.append(row);
    copyAbove(row, "price");
    nameRow(row, size.dataset.size);
  }
  body.querySelector("input.input").focus();
  body.scrollIntoView({ block: "nearest" });
}

/* A new row costs what the others cost. */
function copyAbove(row, column) {
  const others = [...table.querySelectorAll(`[data-column="${column}"]`)].filter((one) => !row.contains(one) && one.value);
  if (others.length) row.querySelector(`[data-column="${column}"]`).value = others.at(-1).value;
}

form.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add]");
  if (add) {
    event.preventDefault();
    if (add.dataset.add === "size") addSize();
    else addColour();
  }
  const less = event.target.closest("[data-less]");
  if (less?.dataset.less === "size" && sizes.children.length > 1) {
    const size = less.closest("[data-size]");
    for (const row of table.querySelectorAll(`[data-row="${size.dataset.size}"]`)) row.remove();
    size.remove();
  }
  if (less?.dataset.less === "colour" && bodies().length > 1) less.closest("tbody").remove();
  const fill = event.target.closest("[data-fill]");
  if (fill) fillDown(fill.dataset.fill, null);
});

const column = (name) => [...table.querySelectorAll(`[data-column="${name}"]`)];

/* Copy the value of `from` (or the first filled one) into the cells below it that are empty or hold the same as before. */
function fillDown(name, from) {
  const cells = column(name);
  const start = from ? cells.indexOf(from) : cells.findIndex((one) => one.value.trim());
  if (start < 0) return;
  for (const cell of cells.slice(start + 1)) {
    cell.value = cells[start].value;
    cell.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

table.addEventListener("keydown", (event) => {
  const cell = event.target;
  const name = cell.dataset?.column;
  if (!name) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d") {
    event.preventDefault();
    fillDown(name, cell);
    return;
  }
  const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const cells = column(name);
  const next = cells[cells.indexOf(cell) + step];
  if (next) {
    next.focus();
    next.select();
  } else if (event.key === "Enter" && step === 1) {
    form.querySelector("[data-save]").focus();
  }
});

table.addEventListener("paste", (event) => {
  const name = event.target.dataset?.column;
  const lines = event.clipboardData.getData("text").split(/\r?\n/);
  while (lines.length && !lines.at(-1)) lines.pop();
  if (!name || lines.length < 2) return;
  event.preventDefault();
  const cells = column(name);
  const start = cells.indexOf(event.target);
  lines.slice(0, cells.length - start).forEach((line, offset) => {
    const cell = cells[start + offset];
    cell.value = line.split("\t")[0].trim();
    cell.dispatchEvent(new Event("input", { bubbles: true }));
  });
});

const WORDS = {
  letters: () => gettext("Digits only."),
  long: () => gettext("An EAN has 13 digits."),
  digit: () => gettext("The check digit does not fit. Read it again."),
};

form.addEventListener("input", (event) => {
  const cell = event.target;
  if (cell.matches(".grid__label")) {
    const size = cell.closest("[data-size]").dataset.size;
    for (const row of table.querySelectorAll(`[data-row="${size}"]`)) nameRow(row, size);
  }
  if (cell.dataset.column === "ean") {
    const verdict = judgeEan(cell.value);
    const error = cell.parentElement.querySelector("[data-ean-error]");
    error.textContent = WORDS[verdict]?.() ?? "";
    cell.toggleAttribute("data-right", verdict === "right");
    if (WORDS[verdict]) cell.setAttribute("aria-invalid", "true");
    else cell.removeAttribute("aria-invalid");
  } else if (cell.getAttribute("aria-invalid")) {
    cell.removeAttribute("aria-invalid");
  }
});

for (const key of form.querySelectorAll(".filldown, [data-less]")) key.hidden = false;
form.querySelector("[aria-invalid=true]")?.focus();
