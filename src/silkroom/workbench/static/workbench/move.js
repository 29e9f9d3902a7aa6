/* The table of a move: how many pieces the key would send, all that is free at once, Enter and arrows to the next number. */

const inputs = (form) => [...form.querySelectorAll("[data-free]")];

function count(form) {
  const sum = inputs(form).reduce((all, one) => all + (/^\d{1,9}$/.test(one.value) ? Number(one.value) : 0), 0);
  form.querySelector("[data-move-count]").textContent = sum || "";
}

function wake() {
  const form = document.querySelector("[data-move]");
  const all = form.querySelector("[data-move-all]");
  if (all) all.hidden = false;
  count(form);
  form.querySelector("[aria-invalid=true]")?.focus();
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-free]")) return;
  event.target.removeAttribute("aria-invalid");
  count(event.target.form);
});

document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-move-all]");
  if (!key) return;
  for (const one of inputs(key.form)) one.value = Number(one.dataset.free) || "";
  count(key.form);
});

document.addEventListener("keydown", (event) => {
  const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !event.target.matches("[data-free]")) return;
  event.preventDefault();
  const all = inputs(event.target.form);
  const next = all[all.indexOf(event.target) + step];
  if (next) next.focus();
  else if (event.key === "Enter" && step === 1) event.target.form.querySelector("[data-move-send]").focus();
});

document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "move") wake();
});

wake();
