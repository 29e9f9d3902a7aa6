/** A payment under way: sends the buyer on to the provider once, and goes to the order when its state has changed. */

const page = document.querySelector("[data-paying]");
const forward = document.querySelector("[data-forward]");
const LOOK_MS = 3_000;
const LATE_MS = 15_000;

const sent = `silkroom.sent.${page.dataset.paying}`;
if (forward && !sessionStorage.getItem(sent)) {
  // Coming back with the back key stays here: the buyer may want another way.
  sessionStorage.setItem(sent, "1");
  location.assign(forward.href);
}

async function look() {
  try {
    const response = await fetch(page.dataset.stateUrl, { headers: { accept: "application/json" } });
    if (response.ok) {
      const standing = await response.json();
      const isUnderWay = standing.state === "held" && standing.payment?.state === "under_way";
      if (!isUnderWay || standing.now_ms > Number(page.dataset.until) + LATE_MS) {
        location.replace(page.dataset.orderUrl);
        return;
      }
    }
  } catch {
    // Without a line the page stays as it is and looks again.
  }
  setTimeout(look, LOOK_MS);
}

look();
