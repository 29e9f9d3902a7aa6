/** The room of a show, as its viewers see it: joins picture, line and parts. Contract: live/README.md, live/room/README.md. */
import { h, readJson, setIcon, setText, stayAwake } from "./dom.js";
import { post, setCsrf } from "./http.js";
import { RoomSocket } from "./socket.js";
import { garmentOf, isOver } from "./state.js";
import { clock, count, dayAndTime, shortCount } from "./words.js";
import { named } from "./room/garment.js";
import { Hearts } from "./room/hearts.js";
import { OnShow } from "./room/onshow.js";
import { showOver } from "./room/over.js";
import { Sheet } from "./room/sheet.js";
import { Talk } from "./room/talk.js";
import { Told } from "./room/told.js";
import "./media/player.js";

const TURN_MS = 250;
const DOUBLE_TAP_MS = 320;
const LINE_PATIENCE_MS = 1_200; // a line that is back sooner is not worth a word
const ANSWER_SHOWN_FOR_MS = 60_000; // an older answer is told to nobody who comes in now

const config = readJson("room");
const room = document.getElementById("main");
const parts = Object.fromEntries([...document.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
setCsrf(config.csrf);

const socket = new RoomSocket({
  url: `${config.gateway.replace(/^http/, "ws")}/gateway/room`,
  ticket: config.tickets.room.ticket,
  renew: async () => take(await post(config.urls.ticket)),
  state: config.state,
  sequence: config.sequence,
  nowMs: config.now_ms,
});

/** What the web process says about this person: who they are, and their tickets. Returns the ticket of the room. */
function take({ tickets, person, csrf }) {
  if (csrf) setCsrf(csrf);
  config.person = person;
  config.tickets = tickets;
  return tickets.room.ticket;
}

// ---- the picture ----

const { player } = parts;
let hasPicture = false;
let isStalled = false;

/** A watch ticket exists while the show is on air; before that the picture is asked for when it begins. */
function startPicture() {
  if (!config.tickets.watch) return;
  player.attach({
    gateway: config.gateway,
    broadcast: room.dataset.broadcast,
    async getTicket({ fresh } = {}) {
      if (fresh) take(await post(config.urls.ticket));
      return config.tickets.watch?.ticket;
    },
  });
}

player.addEventListener("playing", () => {
  hasPicture = true;
  isStalled = false;
  room.setAttribute("data-picture", "");
  drawLine();
  drawSound();
});
player.addEventListener("stalled", () => {
  isStalled = true;
  drawLine();
});
player.addEventListener("mutechange", drawSound);
player.addEventListener("failed", ({ detail }) => {
  if (detail.reason === "not supported") told.say(gettext("This browser cannot show the picture. Comments and garments work all the same."), { bad: true });
});

/** Upright pictures fill a phone; one that lies on its side is shown whole, with the cover around it. */
let ratio = 0;
function fitPicture() {
  const { videoWidth, videoHeight, width, height } = player.way?.element ?? {};
  const now = videoWidth ? videoWidth / videoHeight : videoWidth === undefined && width ? width / height : 0;
  if (!hasPicture || !now || Math.abs(now - ratio) < 0.005) return;
  ratio = now;
  room.style.setProperty("--picture", ratio.toFixed(4));
  room.toggleAttribute("data-lying", ratio > 0.85);
}

let wasHeard = false;
async function setMuted(muted) {
  if (!muted) wasHeard = true;
  await player.setMuted(muted).catch(() => told.say(gettext("The browser gives no sound yet. Tap once more."), { bad: true }));
  drawSound();
}
function drawSound() {
  parts.sound.setAttribute("aria-pressed", !player.muted);
  setIcon(parts.sound, player.muted ? "sound-off" : "sound");
  parts.soundcall.hidden = !player.muted || !hasPicture || wasHeard;
}
parts.sound.addEventListener("click", () => setMuted(!player.muted));
parts.soundcall.addEventListener("click", () => setMuted(false));

// ---- the parts ----

const told = new Told(parts.told, parts.announcer);
const hearts = new Hearts({ field: parts.hearts, key: parts.heart, socket });
const sheet = new Sheet({ root: parts.sheet, room, key: parts["tray-key"], socket, nameFirst, told, config });
const onshow = new OnShow(parts.onshow, { choose: (style) => sheet.choose(style) });
const talk = new Talk({ parts, socket, told, nameFirst, delayMs: () => Math.round(player.delayMs ?? 0) || null });

parts.heart.addEventListener("click", () => hearts.like());

let tappedAt = 0;
parts.stage.addEventListener("pointerup", (event) => {
  if (event.target.closest("button, a")) return;
  const isSecond = event.timeStamp - tappedAt < DOUBLE_TAP_MS;
  tappedAt = isSecond ? 0 : event.timeStamp;
  const field = parts.stage.getBoundingClientRect();
  if (isSecond) hearts.like({ x: event.clientX - field.left, y: event.clientY - field.top });
  else if (sheet.isOpen) sheet.close();
});

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "m") setMuted(!player.muted);
  if (event.key === "l") hearts.like();
  if (event.key === "q") {
    event.preventDefault();
    talk.ask();
  }
});

// ---- the name ----

let afterName;
/** Asks for a name, then does `again`. Who cancels has changed nothing. */
function nameFirst(again) {
  afterName = again;
  parts["name-error"].hidden = true;
  parts["name-dialog"].showModal();
}
parts["name-cancel"].addEventListener("click", () => parts["name-dialog"].close());
parts["name-form"].addEventListener("submit", async (event) => {
  event.preventDefault();
  const save = parts["name-save"];
  save.disabled = true;
  save.setAttribute("aria-busy", "true");
  try {
    const ticket = take(await post(config.urls.name, { name: parts["name-text"].value.trim() }));
    const back = new Promise((resolve) => socket.addEventListener("welcome", resolve, { once: true }));
    await socket.rejoin(ticket);
    await back;
    parts["name-dialog"].close();
    afterName?.();
  } catch (error) {
    parts["name-error"].hidden = false;
    setText(parts["name-error"], error.message);
  } finally {
    save.disabled = false;
    save.removeAttribute("aria-busy");
  }
});

// ---- the line ----

let lineTimer;
function drawLine() {
  clearTimeout(lineTimer);
  const show = socket.state?.broadcast?.state;
  const text =
    isOver(show) ? ""
      : socket.line === "refused" ? gettext("This room is closed.")
      : socket.line === "lost" ? gettext("Your line is down. Back in a moment, nothing is lost.")
      : show === "interrupted" ? gettext("The line of the host is down. Back in a moment, keep your seat.")
      : show === "on_air" && hasPicture && isStalled ? gettext("The picture is on its way. Back in a moment.")
      : "";
  if (!text || show === "interrupted" || !parts.line.hidden) put(text);
  else lineTimer = setTimeout(() => put(text), LINE_PATIENCE_MS);
  function put(words) {
    parts.line.hidden = !words;
    if (words && parts.line.textContent !== words) parts.line.replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), h("span", {}, words));
  }
}

// ---- state ----

function drawShow({ broadcast, likes, tray }) {
  if (!broadcast) return;
  const hasBegun = broadcast.state === "on_air" || broadcast.state === "interrupted";
  if (room.dataset.show !== broadcast.state) {
    room.dataset.show = broadcast.state;
    if (broadcast.state === "on_air" && !config.tickets.watch) post(config.urls.ticket).then(take).then(startPicture, (error) => told.wrong(error));
    else if (isOver(broadcast.state)) player.detach();
    if (broadcast.state === "cancelled") told.clear();
  }
  parts.onair.hidden = broadcast.state !== "on_air";
  parts["viewers-chip"].hidden = !hasBegun;
  parts.waiting.hidden = hasBegun || hasPicture || isOver(broadcast.state);
  setText(parts["waiting-title"], broadcast.title);
  parts.cover.hidden = !broadcast.cover;
  if (broadcast.cover && parts.cover.getAttribute("src") !== broadcast.cover) parts.cover.src = broadcast.cover;
  setText(parts.host, broadcast.host_name ? `${broadcast.host_name} · ${broadcast.title}` : broadcast.title);
  setText(parts.likes, likes ? shortCount(likes) : "");
  setText(parts["tray-count"], tray.length || "");
  if (isOver(broadcast.state)) {
    showOver(parts.over, socket.state, {
      productUrl: (code) => room.dataset.style?.replace("CODE", code),
      shopUrl: room.dataset.shop,
      recordingUrl: config.recording,
      held: sheet.held,
    });
  }
}

function draw(state) {
  const nowMs = socket.now();
  drawShow(state);
  onshow.update(state, nowMs);
  room.toggleAttribute("data-bare", onshow.isBare);
  talk.update(state);
  sheet.update(state);
  drawLine();
}

/** What is worth a word of its own, beside the redrawn state. */
const words = {
  spotlight({ d }, state) {
    const garment = garmentOf(state, d.style);
    if (garment) told.aloud(interpolate(gettext("On show now: %s"), [named(garment)]));
  },
  deal_launched({ d }, state) {
    const garment = garmentOf(state, d.style);
    if (garment) told.aloud(interpolate(gettext("Only in the show, for a short while: %s"), [named(garment)]));
  },
  answered({ d, at }, state) {
    const question = state.questions.find((one) => one.n === d.question);
    if (!question || !talk.isMine(question) || socket.now() - at > ANSWER_SHOWN_FOR_MS) return;
    const sentences = [interpolate(gettext("The host is answering you: %s"), [question.text])];
    if (d.answered_media_ms !== null) sentences.push(interpolate(gettext("It is at %s of the recording."), [clock(d.answered_media_ms, Math.floor)]));
    told.say(sentences.join(" "), { sign: "ask", stays: true });
  },
  likes({ d }) {
    hearts.others(d.count);
  },
  muted({ d }) {
    if (d.person === socket.you?.person) told.say(gettext("The host has muted you in this show. You can still watch and buy."));
  },
  show_changed({ d }) {
    if (d.state === "on_air") told.aloud(gettext("The show is on air."));
    if (d.planned_at_ms && !parts.waiting.hidden) told.say(interpolate(gettext("The show has a new time: %s"), [dayAndTime(d.planned_at_ms)]));
    if (d.state === "cancelled") told.aloud(gettext("The show was cancelled"));
    if (d.state === "ended") told.aloud(gettext("The show is over"));
  },
};

socket.addEventListener("state", ({ detail: { state, events } }) => {
  draw(state);
  for (const event of events) words[event.k]?.(event, state);
});
socket.addEventListener("line", drawLine);
socket.addEventListener("welcome", () => socket.state && talk.update(socket.state));
socket.addEventListener("pulse", ({ detail }) => setText(parts.viewers, count(detail.viewers)));

setInterval(() => {
  if (document.hidden) return;
  const nowMs = socket.now();
  onshow.turn(nowMs);
  sheet.turn(nowMs);
  fitPicture();
  drawWhen(nowMs);
}, TURN_MS);

function drawWhen(nowMs) {
  const planned = socket.state?.broadcast?.planned_at_ms;
  if (parts.waiting.hidden || planned === undefined) return;
  setText(
    parts.when,
    planned === null ? gettext("The time is not set yet. Stay, the picture comes by itself.")
      : planned > nowMs ? interpolate(gettext("Begins %(when)s, in %(span)s"), { when: dayAndTime(planned), span: clock(planned - nowMs) }, true)
      : gettext("Begins in a moment. Stay, the picture comes by itself."),
  );
}

stayAwake(() => hasPicture && !isStalled && !isOver(room.dataset.show));

// The keyboard of a phone lies over the page: what is written in moves above it, the picture stays.
const view = window.visualViewport;
view?.addEventListener("resize", () => {
  const covered = Math.max(0, innerHeight - view.height - view.offsetTop);
  room.style.setProperty("--keyboard", `${covered > 80 ? covered : 0}px`);
});

if (config.state) draw(config.state);
startPicture();
socket.open();
