/* <region-choice>: two lists that belong together, and a search over both. Without this script the form still works. */

class RegionChoice extends HTMLElement {
  connectedCallback() {
    this.province = this.querySelector("[name=province]");
    this.region = this.querySelector("[name=region_code]");
    this.search = this.querySelector("input[type=search]");
    this.found = this.querySelector(".region__found");
    this.querySelector(".region__search").hidden = false;
    this.province.addEventListener("change", () => this.fill(this.province.value, ""));
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), 160);
    });
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.found.querySelector("button")?.click();
      } else if (event.key === "ArrowDown") {
        event.preventDefault();
        this.found.querySelector("button")?.focus();
      }
    });
    this.found.addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      const next = step && event.target.closest("li")?.[step]?.querySelector("button");
      if (next) {
        event.preventDefault();
        next.focus();
      }
    });
  }

  async get(query) {
    const answer = await fetch(`${this.dataset.url}?${new URLSearchParams(query)}`);
    return (await answer.json()).regions;
  }

  async look() {
    const words = this.search.value.trim();
    const regions = words ? await this.get({ q: words }) : [];
    if (words !== this.search.value.trim()) return;
    this.found.replaceChildren(...regions.map((region) => {
      const row = document.createElement("li");
      const key = document.createElement("button");
      key.type = "button";
      const code = document.createElement("span");
      code.className = "quiet figures";
      code.textContent = region.code;
      key.append(region.full, code);
      key.addEventListener("click", () => this.choose(region));
      row.append(key);
      return row;
    }));
    if (words && !regions.length) {
      const row = document.createElement("li");
      row.className = "quiet";
      row.textContent = gettext("Nothing found. Choose the province below.");
      this.found.replaceChildren(row);
    }
    this.found.hidden = !words;
  }

  async choose(region) {
    this.province.value = region.province;
    await this.fill(region.province, region.code);
    this.search.value = region.full;
    this.found.hidden = true;
    this.region.focus();
  }

  async fill(province, chosen) {
    const regions = province ? await this.get({ province }) : [];
    if (province !== this.province.value) return;
    const first = this.region.options[0];
    const groups = new Map();
    for (const region of regions) {
      const option = new Option(region.name, region.code, false, region.code === chosen);
      if (!groups.has(region.group)) {
        const group = document.createElement("optgroup");
        group.label = region.group;
        groups.set(region.group, region.group ? group : document.createDocumentFragment());
      }
      groups.get(region.group).append(option);
    }
    this.region.replaceChildren(first, ...groups.values());
    if (regions.length === 1) this.region.value = regions[0].code;
    else this.region.value = chosen;
  }
}

customElements.define("region-choice", RegionChoice);
