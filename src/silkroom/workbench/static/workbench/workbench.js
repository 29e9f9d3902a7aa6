/* What all merchant pages share: one question before something is lost, links to copy, the dialog of the stock page. */

const ask = document.getElementById("ask");
let answered = new WeakSet();

function question(form) {
  ask.querySelector("#ask-words").textContent = form.dataset.confirm;
  ask.returnValue = "";
  ask.showModal();
  ask.addEventListener("close", () => {
    if (ask.returnValue === "yes") {
      answered.add(form);
      form.requestSubmit();
    }
  }, { once: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !answered.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    question(form);
    return;
  }
  answered.delete(form);
  // Sending twice is harmless (each form has its key), but a key that looks dead invites it.
  if (form.method === "post" && !form.hasAttribute("hx-post")) {
    const key = event.submitter;
    if (key && !key.name) {
      key.setAttribute("aria-busy", "true");
    }
  }
}, true);

addEventListener("pageshow", () => {
  for (const key of document.querySelectorAll("[aria-busy]")) {
    key.removeAttribute("aria-busy");
  }
});

ask?.addEventListener("click", (event) => {
  if (event.target.closest("[data-yes]")) ask.close("yes");
  if (event.target.closest("[data-no]")) ask.close("no");
});

document.addEventListener("change", (event) => {
  event.target.closest("[data-send-on-change]")?.requestSubmit();
});

for (const key of document.querySelectorAll("[data-copy]")) {
  key.hidden = !navigator.clipboard;
  const words = key.textContent;
  key.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(key.dataset.copy).value);
    key.textContent = gettext("Copied");
    setTimeout(() => { key.textContent = words; }, 2000);
  });
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});

/* On a phone the current tab may lie outside the picture. */
for (const current of document.querySelectorAll(".tabs [aria-current], .bench__links [aria-current]")) {
  current.scrollIntoView({ inline: "center", block: "nearest", behavior: "instant" });
}

const cell = document.getElementById("cell");
if (cell) {
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "cell-body" && !cell.open) {
      cell.showModal();
      cell.querySelector("[name=counted]")?.focus();
    }
  });
  document.body.addEventListener("counted", () => cell.open && cell.close());
  cell.addEventListener("click", (event) => {
    if (event.target === cell || event.target.closest("[data-close]")) {
      event.preventDefault();
      cell.close();
    }
  });
}

/* A notice stays long enough to be read and taken back, then goes. */
document.body.addEventListener("htmx:afterSettle", () => {
  const shown = document.querySelector("#toasts .toast");
  setTimeout(() => shown?.remove(), 10000);
});
