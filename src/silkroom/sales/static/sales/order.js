/** An order's page: counts down what is held, and looks whether the state has changed (paid, lapsed). */

const order = document.querySelector("[data-order]");
const ring = document.querySelector("[data-ring]");
const left = document.querySelector("[data-left]");
const LOOK_MS = 3_000;
const LOOK_SELDOM_MS = 15_000;
const SELDOM_AFTER_MS = 120_000;

const began = Date.now();
let offset = 0;
let until = 0;

function draw() {
  const now = Date.now() + offset;
  const rest = Math.max(0, until - now);
  ring.style.setProperty("--left", Math.min(1, rest / Math.max(1, until - Number(order.dataset.placed))).toFixed(4));
  const seconds = Math.ceil(rest / 1000);
  left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

async function look() {
  try {
    const response = await fetch(order.dataset.stateUrl, { headers: { accept: "application/json" } });
    if (response.ok) {
      const standing = await response.json();
      offset = standing.now_ms - Date.now();
      until = Math.max(standing.holds_until_ms, standing.paying_until_ms ?? 0);
      if (standing.state !== order.dataset.state) {
        location.reload();
        return;
      }
      if (ring) draw();
    }
  } catch {
    // Without a line the page stays as it is and looks again.
  }
  if (order.dataset.state === "held") setTimeout(look, Date.now() - began > SELDOM_AFTER_MS ? LOOK_SELDOM_MS : LOOK_MS);
}

if (ring) {
  look();
  setInterval(() => until && draw(), 500);
}

// One press is one payment; coming back with the back key shows the page as it was left.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => form.querySelector("button[type=submit]")?.setAttribute("aria-busy", "true"));
}
addEventListener("pageshow", () => document.querySelectorAll("[aria-busy]").forEach((one) => one.removeAttribute("aria-busy")));
