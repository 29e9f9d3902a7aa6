/* <running-order>: two lists, one of them in the order of the show. The hidden input carries the ids. */

class RunningOrder extends HTMLElement {
  connectedCallback() {
    this.chosen = this.querySelector("[data-chosen]");
    this.rest = this.querySelector("[data-rest]");
    this.none = this.querySelector("[data-none]");
    if (!this.chosen) return;
    this.addEventListener("click", (event) => {
      const key = event.target.closest("button");
      const row = event.target.closest("[data-style]");
      if (!key || !row) return;
      if (key.matches("[data-in]")) this.chosen.append(row);
      else if (key.matches("[data-out]")) this.rest.prepend(row);
      else if (key.matches("[data-up]")) row.previousElementSibling?.before(row);
      else if (key.matches("[data-down]")) row.nextElementSibling?.after(row);
      this.write();
      // The pressed key may be hidden now; the hand stays at the row.
      const shown = [key, ...row.querySelectorAll("button")].find((one) => one.checkVisibility({ visibilityProperty: true }));
      shown?.focus();
    });
    this.write();
  }

  write() {
    const ids = [...this.chosen.children].map((row) => row.dataset.style);
    document.querySelector(this.dataset.input).value = ids.join(" ");
    this.none.hidden = ids.length > 0;
    this.querySelector("[data-resthead]").hidden = !this.rest.children.length;
  }
}

customElements.define("running-order", RunningOrder);
