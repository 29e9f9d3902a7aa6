/** The sheet: the tray of this show, the choice of colour and size, and what is held and waits to be paid. */
import { h, icon, keyed, setText } from "../dom.js";
import { newKey } from "../http.js";
import { garmentOf, isOver, priceNow } from "../state.js";
import { money } from "../words.js";
import { FEW, countdown, dealLeft, frame, named, openDealOf, piecesLeft, showPrice, showSizes } from "./garment.js";
import { Pay } from "./pay.js";

export class Sheet {
  #root;
  #room;
  #socket;
  #nameFirst;
  #told;
  #config;
  #state;
  #wide = matchMedia("(min-width: 64rem) and (min-height: 34.01rem)");
  #view = "tray";
  #style = null;
  #variant = null;
  #pieces = 1;
  #drawn = {};
  #pay;
  #buying = false;
  #isOver = false;
  #opener;

  constructor({ root, room, key, socket, nameFirst, told, config }) {
    this.#root = root;
    this.#room = room;
    this.#socket = socket;
    this.#nameFirst = nameFirst;
    this.#told = told;
    this.#config = config;
    this.#pay = new Pay({ socket, config, changed: () => this.#heldChanged() });
    this.key = key;
    /** What is held, for the page that stands in the place of a show that is over. */
    this.held = h("div", { class: "over__held" });
    key.addEventListener("click", () => (this.isOpen ? this.close() : this.openTray(key)));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#wide.matches && !document.querySelector("dialog[open]")) this.close();
    });
    addEventListener("popstate", () => this.#shut());
    this.#wide.addEventListener("change", () => this.#fit());
    this.#fit();
  }

  get isOpen() {
    return this.#room.hasAttribute("data-sheet");
  }

  #fit() {
    this.#root.inert = !this.#wide.matches && !this.isOpen;
  }

  /** Beside the picture it is always open; over the picture a tap, the back key or Escape closes it. */
  #open(opener) {
    if (this.isOpen) return;
    this.#opener = opener;
    this.#room.setAttribute("data-sheet", "");
    this.key.setAttribute("aria-expanded", "true");
    this.#fit();
    if (this.#wide.matches) return;
    history.pushState({ sheet: true }, "");
    this.#root.focus({ preventScroll: true });
  }

  close() {
    if (!this.isOpen) return;
    if (history.state?.sheet) history.back();
    else this.#shut();
  }

  #shut() {
    if (!this.isOpen) return;
    this.#room.removeAttribute("data-sheet");
    this.key.setAttribute("aria-expanded", "false");
    this.#fit();
    if (!this.#wide.matches) this.#opener?.focus?.({ preventScroll: true });
  }

  openTray(opener) {
    this.#show(this.#pay.isWaiting && !this.#wide.matches ? "pay" : "tray");
    this.#open(opener);
  }

  /** Colour and size of a garment. */
  choose(style, opener = document.activeElement) {
    if (this.#style !== style) {
      this.#variant = null;
      this.#pieces = 1;
    }
    this.#style = style;
    const garment = garmentOf(this.#state, style);
    const free = garment.variants.filter((one) => one.left > 0);
    if (free.length === 1) this.#variant = free[0].variant;
    this.#show("choice");
    this.#open(opener);
  }

  #show(view) {
    this.#view = view;
    this.#draw();
  }

  update(state) {
    this.#state = state;
    this.#isOver = isOver(state.broadcast.state);
    if (this.#view === "choice" && !garmentOf(state, this.#style)) this.#view = "tray";
    this.#draw();
  }

  /** As time goes: deals begin and end, what is held runs out. */
  turn(nowMs) {
    if (!this.#state) return;
    this.#pay.turn(nowMs);
    const isVisible = this.isOpen || this.#wide.matches;
    if (isVisible && this.#view === "choice") this.#drawDeal(nowMs);
    if (isVisible && this.#view === "tray") this.#drawTray(nowMs);
    this.#drawHeld(nowMs);
    this.key.classList.toggle("bar__key--held", this.#pay.isWaiting);
  }

  #heldChanged() {
    if (this.#view === "pay") this.#draw();
    else this.#stay();
  }

  #draw() {
    if (!this.#state) return;
    const view = this.#view === "choice" ? `choice ${this.#style}` : this.#view === "pay" ? this.#pay.view : "tray";
    if (this.#drawn.view !== view) {
      // What had the focus goes with the old view: without this the keyboard would be lost somewhere in the page.
      const hadFocus = this.#root.contains(document.activeElement);
      this.#drawn = { view };
      if (this.#view === "tray") this.#makeTray();
      else if (this.#view === "choice") this.#makeChoice(garmentOf(this.#state, this.#style));
      else this.#makePay();
      if (hadFocus) this.#root.focus({ preventScroll: true });
    }
    const nowMs = this.#socket.now();
    if (this.#view === "tray") this.#drawTray(nowMs);
    if (this.#view === "choice") this.#drawChoice(nowMs);
    this.#drawHeld(nowMs);
    this.#stay();
  }

  /** Somebody is in the middle of it: has chosen, is buying, holds or has just paid. */
  get #isInUse() {
    return this.#pay.isWaiting || (this.#view === "pay" && this.#pay.orders.length > 0) || (this.#view === "choice" && (this.#variant !== null || this.#buying));
  }

  /** The end of the show takes nothing out of anybody's hands: a sheet in use stays beside what was shown. */
  #stay() {
    this.#room.toggleAttribute("data-kept", this.#isOver && this.#isInUse);
    if (this.#isOver && !this.#isInUse) this.close();
  }

  #drawHeld(nowMs) {
    if (!this.#isOver) return;
    keyed(this.held, this.#pay.orders, (order) => order.number, (order) => {
      const line = this.#pay.makeLine(order, () => { this.#pay.look(order.number); this.#show("pay"); this.#open(line); });
      line.append(h("a", { class: "button button--plain", href: order.url }, gettext("See the order")));
      return line;
    }, (element, order) => this.#pay.drawLine(element, order, nowMs));
  }

  #head(title, back) {
    return h(
      "div", { class: "sheet__head" },
      back ? h("button", { class: "sheet__key", type: "button", "aria-label": gettext("Back"), onclick: back }, icon("back")) : null,
      h("h2", { class: "sheet__title" }, title),
      h("button", { class: "sheet__key sheet__key--close", type: "button", "aria-label": gettext("Close"), onclick: () => this.close() }, icon("down")),
    );
  }

  // ---- tray ----

  #makeTray() {
    this.#drawn.list = h("ul", { class: "tray" });
    this.#drawn.held = h("div");
    this.#root.replaceChildren(
      this.#head(gettext("In this show")),
      h("div", { class: "sheet__body" }, this.#drawn.held, this.#drawn.list),
    );
  }

  #drawTray(nowMs) {
    keyed(this.#drawn.held, this.#pay.orders, (order) => order.number, (order) => this.#pay.makeLine(order, () => { this.#pay.look(order.number); this.#show("pay"); }), (element, order) => this.#pay.drawLine(element, order, nowMs));
    keyed(
      this.#drawn.list, this.#state.tray, (one) => one.style,
      (garment) => {
        const parts = { price: h("span", { class: "tray__price" }), sizes: h("span", { class: "sizes" }), mark: h("span") };
        const one = h(
          "button", { class: "tray__one", type: "button", onclick: () => this.choose(garment.style) },
          frame(garment, "tray__frame"),
          h("span", { class: "tray__words" }, parts.mark, h("span", {}, named(garment)), parts.price, parts.sizes),
          icon("forward"),
        );
        return Object.assign(h("li", {}, one), { parts, one });
      },
      (element, garment) => {
        const { parts, one } = element;
        const deal = openDealOf(this.#state, garment.style, nowMs);
        one.toggleAttribute("data-deal", Boolean(deal));
        const isGone = piecesLeft(garment) === 0;
        const mark = isGone ? gettext("Sold out") : this.#state.spotlight === garment.style ? gettext("On show now") : "";
        parts.mark.hidden = !mark;
        parts.mark.className = `badge ${isGone ? "" : "badge--accent"}`;
        parts.mark.style.justifySelf = "start";
        setText(parts.mark, mark);
        showPrice(parts.price, garment, deal);
        showSizes(parts.sizes, garment);
      },
    );
  }

  // ---- choice ----

  #makeChoice(garment) {
    const parts = {
      price: h("span", { class: "choice__price" }),
      deal: h("span", { class: "quiet" }),
      ring: countdown("choice__ring"),
      cells: new Map(),
      note: h("p", { class: "errorlist", role: "alert", hidden: true }),
      count: h("output", { "aria-live": "polite" }, "1"),
      less: h("button", { type: "button", "aria-label": gettext("One piece less"), onclick: () => this.#setPieces(this.#pieces - 1) }, icon("minus")),
      more: h("button", { type: "button", "aria-label": gettext("One piece more"), onclick: () => this.#setPieces(this.#pieces + 1) }, icon("plus")),
      buy: h("button", { class: "button", type: "button", onclick: () => this.#buy() }),
    };
    const grid = h(
      "table", { class: "stockgrid" },
      h("caption", { class: "unseen" }, gettext("Pieces left by colour and size")),
      h("thead", {}, h("tr", {}, h("td"), garment.sizes.map(({ label }) => h("th", { scope: "col" }, label)))),
      h("tbody", {}, garment.colours.map((colour) => h(
        "tr", {},
        h("th", { scope: "row" }, h("span", { class: "stockgrid__colour" }, h("span", { class: "swatch", style: { "--swatch": colour.swatch } }), named(colour))),
        garment.sizes.map((size) => h("td", {}, this.#makeCell(garment, colour, size, parts.cells))),
      ))),
    );
    parts.choice = h(
      "div", { class: "sheet__body choice" },
      h("div", { class: "choice__head" }, frame(garment, "tray__frame"), h("div", { class: "choice__words" }, parts.price, parts.deal), parts.ring.element),
      grid, parts.note,
    );
    Object.assign(this.#drawn, parts);
    this.#root.replaceChildren(
      this.#head(named(garment), () => this.#show("tray")),
      parts.choice,
      h("div", { class: "sheet__foot" }, h("div", { class: "pieces", role: "group", "aria-label": gettext("Pieces") }, parts.less, parts.count, parts.more), parts.buy),
    );
  }

  #makeCell(garment, colour, size, cells) {
    const variant = garment.variants.find((one) => one.colour === colour.id && one.size === size.id);
    if (!variant) return null;
    const count = h("span");
    const word = h("small");
    const cell = h("button", {
      class: "cell", type: "button", "aria-pressed": "false",
      onclick: () => {
        this.#variant = variant.variant;
        this.#pieces = 1;
        this.#drawn.note.hidden = true;
        this.#drawChoice(this.#socket.now());
      },
    }, count, word);
    cells.set(variant.variant, { cell, count, word, label: `${named(colour)} ${size.label}` });
    return cell;
  }

  get #chosen() {
    return garmentOf(this.#state, this.#style)?.variants.find((one) => one.variant === this.#variant);
  }

  #setPieces(pieces) {
    this.#pieces = pieces;
    this.#drawChoice(this.#socket.now());
  }

  #drawChoice(nowMs) {
    const garment = garmentOf(this.#state, this.#style);
    for (const { variant, left } of garment.variants) {
      const shown = this.#drawn.cells.get(variant);
      if (!shown) continue;
      const { cell, count, word, label } = shown;
      const free = Math.max(0, left);
      if (count.textContent && count.textContent !== String(free) && !cell.hasAttribute("data-out")) this.#bump(cell);
      setText(count, free === 0 ? gettext("Sold out") : free);
      setText(word, free === 0 ? "" : gettext("left"));
      cell.toggleAttribute("data-out", free === 0);
      cell.toggleAttribute("data-few", free > 0 && free <= FEW);
      cell.disabled = free === 0;
      cell.setAttribute("aria-pressed", variant === this.#variant);
      cell.setAttribute("aria-label", free === 0 ? interpolate(gettext("%s, sold out"), [label])
        : interpolate(ngettext("%(what)s, %(left)s left", "%(what)s, %(left)s left", free), { what: label, left: free }, true));
    }
    this.#drawDeal(nowMs);
  }

  #bump(cell) {
    cell.removeAttribute("data-bump");
    requestAnimationFrame(() => cell.setAttribute("data-bump", ""));
  }

  #drawDeal(nowMs) {
    const { price, deal: line, ring, choice, buy, less, more, count, note } = this.#drawn;
    const garment = garmentOf(this.#state, this.#style);
    const deal = openDealOf(this.#state, this.#style, nowMs);
    choice.toggleAttribute("data-deal", Boolean(deal));
    ring.element.hidden = !deal;
    if (deal) ring.turn(deal.starts_at_ms, deal.ends_at_ms, nowMs);
    showPrice(price, garment, deal);
    setText(line, deal ? dealLeft(deal).text : this.#isOver ? gettext("The show is over. You can still buy this.") : "");
    const variant = this.#chosen;
    const isFree = variant && variant.left > 0;
    if (variant && !isFree && note.hidden && !this.#buying) {
      note.hidden = false;
      setText(note, gettext("Somebody was quicker: this one is sold out. Nothing was ordered."));
    }
    const limit = Math.min(this.#config.most_pieces, isFree ? variant.left : 1, deal?.per_person ?? Infinity, deal?.cap != null ? deal.cap - deal.taken : Infinity);
    this.#pieces = Math.min(Math.max(1, this.#pieces), Math.max(1, limit));
    setText(count, this.#pieces);
    less.disabled = this.#pieces <= 1;
    more.disabled = !isFree || this.#pieces >= limit;
    buy.disabled = !isFree || this.#buying;
    buy.setAttribute("aria-busy", this.#buying);
    setText(buy, piecesLeft(garment) === 0 ? gettext("Sold out")
      : isFree ? interpolate(gettext("Buy for %s"), [money(priceNow(variant, deal) * this.#pieces, garment.currency)]) : gettext("Choose colour and size"));
  }

  /** One press is one order: its key stays the same, however often the message has to be sent. */
  async #buy(key = newKey()) {
    const garment = garmentOf(this.#state, this.#style);
    const variant = this.#chosen;
    if (!variant || this.#buying) return;
    const deal = openDealOf(this.#state, this.#style, this.#socket.now());
    const order = {
      key, variant: variant.variant, quantity: this.#pieces, offer: deal?.offer ?? null,
      price_minor: priceNow(variant, deal), currency: garment.currency,
    };
    this.#buying = true;
    this.#drawn.note.hidden = true;
    this.#drawChoice(this.#socket.now());
    try {
      const { order: held } = await this.#socket.send("buy", order, { again: true });
      this.#buying = false;
      const colour = garment.colours.find((one) => one.id === variant.colour);
      const size = garment.sizes.find((one) => one.id === variant.size);
      this.#pay.add({ ...held, garment, what: `${named(colour)} · ${size.label}`, quantity: order.quantity, held_at_ms: this.#socket.now() });
      this.#variant = null;
      this.#show("pay");
      this.#open(this.key);
    } catch (error) {
      this.#buying = false;
      if (error.code === "name_first") this.#nameFirst(() => this.#buy(key));
      else if (this.#view === "choice" && this.#style === garment.style) {
        setText(this.#drawn.note, error.message);
        this.#drawn.note.hidden = false;
      } else this.#told.wrong(error);
      if (this.#view === "choice") this.#drawChoice(this.#socket.now());
    }
  }

  // ---- pay ----

  #makePay() {
    const { title, body, foot } = this.#pay.make();
    this.#root.replaceChildren(
      this.#head(title, () => this.#show("tray")),
      h("div", { class: "sheet__body" }, body),
      foot ? h("div", { class: "sheet__foot" }, foot) : "",
    );
  }
}
