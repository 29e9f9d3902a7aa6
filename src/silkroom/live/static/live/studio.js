/** The studio of a show: joins picture, line, columns and keys. Contract: live/README.md, live/room/README.md. */
import { h, readJson, setText, stayAwake } from "./dom.js";
import { post, setCsrf } from "./http.js";
import { RoomSocket } from "./socket.js";
import { isOver } from "./state.js";
import { named, seconds } from "./words.js";
import { Told } from "./room/told.js";
import { Asked } from "./studio/asked.js";
import { Board } from "./studio/board.js";
import { Check } from "./studio/check.js";
import { DealSheet } from "./studio/deal.js";
import { Keys } from "./studio/keys.js";
import { qualityFor } from "./studio/quality.js";
import { Adding, Running } from "./studio/running.js";
import { Sender } from "./studio/sender.js";
import "./media/player.js";
import { measureUplink } from "./media/uplink.js";

const TURN_MS = 250;
const REACHED_MS = 4_000; // longer than this, and the words of a command say that it is still on its way

const config = readJson("studio");
const studio = document.getElementById("main");
const parts = Object.fromEntries([...document.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
const mayLead = studio.hasAttribute("data-lead");
setCsrf(config.csrf);

async function renew() {
  const { tickets, csrf } = await post(config.urls.ticket);
  if (csrf) setCsrf(csrf);
  config.tickets = tickets;
  return tickets.room.ticket;
}

const socket = new RoomSocket({
  url: `${config.gateway.replace(/^http/, "ws")}/gateway/room`,
  ticket: config.tickets.room.ticket, renew, state: config.state, sequence: config.sequence, nowMs: config.now_ms,
});
const told = new Told(parts.told, parts.announcer);

// ---- commands ----

/** Resolves when the room has event `n`, so that "done" on this screen means: everybody has it. */
function reached(n) {
  if (n === null || n === undefined || socket.sequence >= n) return Promise.resolve(true);
  return new Promise((resolve) => {
    const stop = (isThere) => {
      clearTimeout(timer);
      socket.removeEventListener("state", look);
      resolve(isThere);
    };
    const look = () => socket.sequence >= n && stop(true);
    const timer = setTimeout(() => stop(false), REACHED_MS);
    socket.addEventListener("state", look);
  });
}

/** Sends a command; undefined if it was refused, and then the host has been told why. */
async function command(verb, body = {}, { words, undo } = {}) {
  try {
    const answer = await post(config.urls[verb], body);
    if (!(await reached(answer.n))) told.say(gettext("Done, but the room has not shown it yet. Look at the line."), { bad: true });
    else if (words) told.say(words, { sign: "check", undo });
    return answer;
  } catch (error) {
    told.wrong(error);
    return undefined;
  }
}

async function launch(terms) {
  const answer = await command("deal", terms);
  if (!answer) return;
  const wait = answer.starts_at_ms - socket.now();
  const take = () => command("deal_withdraw", { deal: answer.deal }, { words: gettext("Taken back. Nobody saw it.") });
  told.say(interpolate(gettext("The deal is on in %s."), [seconds(Math.max(0, wait))]), { sign: "tag", undo: { ms: Math.max(0, wait), run: take } });
}

const running = new Running(parts, {
  spotlight: (style) => command("spotlight", { style }),
  order: (styles, { words, undo } = {}) => command("order", { styles }, { words, undo: undo && { run: undo, ms: 8_000 } }),
});
const asked = new Asked(parts, {
  answered: ({ n }) => command("answered", { question: n, media_ms: sender.mediaMs }),
  pin: ({ n }) => command("pin", { n }, { words: gettext("Pinned for everybody."), undo: { run: () => command("unpin"), ms: 8_000 } }),
  unpin: () => command("unpin"),
  hide: ({ n }) => command("hide", { n }, { words: gettext("Hidden from everybody."), undo: { run: () => command("unhide", { n }), ms: 8_000 } }),
  mute: ({ person, name }) => command("mute", { person }, { words: interpolate(gettext("%s is muted in this show."), [name]), undo: { run: () => command("unmute", { person }), ms: 8_000 } }),
  unmute: (person) => command("unmute", { person }, { words: gettext("May speak again.") }),
});
const deal = new DealSheet(parts["deal-dialog"], config.prepared, {
  launch,
  prepare: (terms) => command("prepared", terms),
  removePrepared: ({ prepared }) => command("prepared_remove", { prepared }),
});
const adding = new Adding({
  dialog: parts["add-dialog"], search: parts["add-search"], list: parts["add-list"], styles: config.styles,
  current: () => socket.state.tray, order: (styles) => command("order", { styles }),
});
parts.add.addEventListener("click", () => adding.open());

// ---- picture ----

const sender = new Sender({
  gateway: config.gateway,
  async getTicket({ fresh } = {}) {
    if (fresh || !config.tickets.ingest) await renew();
    return config.tickets.ingest?.ticket;
  },
});

const check = new Check(parts, {
  async choose(source) {
    try {
      const stream = await sender.open(source);
      parts.own.srcObject = stream;
      parts.own.toggleAttribute("data-mirror", source.kind === "devices");
      parts.empty.hidden = true;
      return stream;
    } catch (error) {
      parts.own.srcObject = null;
      parts.empty.hidden = false;
      setText(parts["empty-words"], sourceTrouble(error));
      return undefined;
    } finally {
      draw();
    }
  },
  rename: (title) => command("title", { title }, { words: gettext("Saved.") }),
  cover(file) {
    const form = new FormData();
    form.append("cover", file);
    return command("cover", form, { words: gettext("Saved.") });
  },
});
parts.own.addEventListener("resize", () => fitMonitor());
/** The frame takes the shape of the picture in it: one's own, or what the room sees. */
function fitMonitor() {
  const { videoWidth, videoHeight, width, height } = parts.own.hidden ? (parts.seen.way?.element ?? {}) : parts.own;
  const [wide, high] = videoWidth === undefined ? [width, height] : [videoWidth, videoHeight];
  if (wide && high) studio.style.setProperty("--picture", (wide / high).toFixed(4));
}

function sourceTrouble(error) {
  switch (error.name) {
    case "NotAllowedError":
      return gettext("The browser was told not to give camera or microphone to this page. Allow them beside the address, then choose again.");
    case "NotFoundError":
    case "OverconstrainedError":
      return gettext("No camera was found. Plug one in, or choose a video file.");
    case "NotReadableError":
      return gettext("Another program holds the camera. Close it, then choose again.");
    default:
      return gettext("This source gives no picture. Choose another one.");
  }
}

let sent = { state: "idle" };
sender.addEventListener("state", ({ detail }) => {
  sent = detail;
  draw();
});

function drawEncoder() {
  const facts = [];
  if (sent.width) facts.push([gettext("Picture"), `${sent.width} × ${sent.height}`], [gettext("Rate"), interpolate(gettext("%s pictures/s"), [Math.round(sent.fps ?? 0)])]);
  if (sent.kbps !== undefined) facts.push([gettext("Sends"), `${(sent.kbps / 1000).toFixed(1)} Mbit/s`]);
  if (sent.bufferedMs !== undefined) facts.push([gettext("Waits"), seconds(sent.bufferedMs), sent.bufferedMs > 500]);
  if (socket.roundTrip < Infinity) facts.push([gettext("Line"), `${Math.round(socket.roundTrip)} ms`, socket.roundTrip > 300]);
  parts.encoder.replaceChildren(...facts.map(([name, value, isBad]) => h("div", isBad ? { dataset: { bad: "" } } : {}, h("dt", {}, name), h("dd", {}, value))));
}

/** The check of the line upwards, as a line of the list; measured once, and again when somebody asks. */
let uplink = { key: "uplink", state: "wait", text: gettext("What your line carries is measured before the show") };
let isMeasuring = false;

async function measure() {
  if (isMeasuring || inAir(socket.state)) return;
  isMeasuring = true;
  uplink = { key: "uplink", state: "wait", text: gettext("Measuring what your line carries, a few seconds") };
  draw();
  try {
    if (!config.tickets.ingest) await renew();
    const { bitrate, ...told } = qualityFor(await measureUplink({ gateway: config.gateway, ticket: config.tickets.ingest.ticket }));
    sender.bitrate = bitrate;
    uplink = { key: "uplink", ...told };
  } catch {
    uplink = { key: "uplink", state: "bad", text: gettext("What your line carries could not be measured. Try again.") };
  }
  isMeasuring = false;
  draw();
}
parts.measure.addEventListener("click", measure);

function drawChecks() {
  parts.measure.disabled = isMeasuring;
  parts.measure.hidden = !mayLead || inAir(socket.state);
  const hasSound = sender.stream?.getAudioTracks().length > 0;
  const line = socket.roundTrip;
  check.show([
    sender.stream ? { key: "picture", state: "good", text: gettext("There is a picture") } : { key: "picture", state: "wait", text: gettext("Choose a camera, or a video file") },
    hasSound ? { key: "sound", state: "good", text: gettext("There is sound. Speak: the bar moves.") } : { key: "sound", state: "bad", text: gettext("No sound is sent") },
    ...(mayLead ? [uplink] : []),
    line === Infinity ? { key: "line", state: "wait", text: gettext("The line is measured") }
      : line < 300 ? { key: "line", state: "good", text: interpolate(gettext("The line answers in %s ms"), [Math.round(line)]) }
      : { key: "line", state: "bad", text: interpolate(gettext("The line is slow: %s ms. Viewers will see you late."), [Math.round(line)]) },
    socket.state?.tray.length ? { key: "order", state: "good", text: interpolate(ngettext("%s garment to show", "%s garments to show", socket.state.tray.length), [socket.state.tray.length]) }
      : { key: "order", state: "bad", text: gettext("No garment to show yet") },
  ]);
}

// ---- keys ----

const inAir = ({ broadcast }) => broadcast.state === "on_air" || broadcast.state === "interrupted";
const inShow = (state) => inAir(state) || state.broadcast.state === "rehearsing";
let isMicOff = false;
let isCameraOff = false;

async function begin(verb) {
  if (!sender.stream) {
    await check.open();
    if (!sender.stream) return;
  }
  if (await command(verb)) await sender.start();
}

// ---- the source in the middle of the show ----

/** Only the tab that was sending goes on by itself after a reload: whoever just looks in must not take the picture over. */
const SENDING = `silkroom.sending.${config.code}`;
sender.addEventListener("state", () => {
  if (sender.isOwn) sessionStorage.setItem(SENDING, "yes");
  else if (["stopped", "replaced"].includes(sent.state)) sessionStorage.removeItem(SENDING);
});

function turnSource() {
  studio.toggleAttribute("data-source");
  if (studio.hasAttribute("data-source") && !sender.stream) check.open();
  draw();
}
parts["send-here"].addEventListener("click", async () => {
  await sender.start();
  studio.removeAttribute("data-source");
  draw();
});

const keys = new Keys(parts.keys, [
  { code: "KeyN", letter: "N", icon: "next", label: gettext("Next garment"), kind: "main", shown: inShow, hint: () => (running.following ? named(running.following) : ""), enabled: () => Boolean(running.following), act: () => command("spotlight", { style: running.following.style }) },
  { code: "KeyD", letter: "D", icon: "tag", label: gettext("Deal"), shown: inShow, enabled: (state) => inAir(state) && state.tray.length > 0, act: () => deal.open(socket.state) },
  { code: "Space", letter: gettext("Space"), icon: "check", label: gettext("Answered"), shown: inShow, enabled: () => Boolean(asked.question), act: () => command("answered", { question: asked.question.n, media_ms: sender.mediaMs }) },
  { code: "KeyM", letter: "M", icon: "mic", pressedIcon: "mic-off", label: () => (isMicOff ? gettext("Sound is off") : gettext("Sound is on")), shown: (state) => inShow(state) && sender.isOwn, pressed: () => isMicOff, act: () => { isMicOff = !isMicOff; sender.setMicrophone(!isMicOff); draw(); } },
  { code: "KeyV", letter: "V", icon: "camera", pressedIcon: "camera-off", label: () => (isCameraOff ? gettext("Picture is off") : gettext("Picture is on")), shown: (state) => inShow(state) && sender.isOwn, pressed: () => isCameraOff, act: () => { isCameraOff = !isCameraOff; sender.setCamera(!isCameraOff); draw(); } },
  { code: "KeyC", letter: "C", icon: "settings", label: gettext("Source"), kind: "toggle", shown: (state) => mayLead && inShow(state), pressed: () => studio.hasAttribute("data-source"), act: turnSource },
  { code: "KeyR", letter: "R", icon: "camera", label: gettext("Rehearse privately"), shown: ({ broadcast }) => mayLead && broadcast.state === "planned", act: () => begin("rehearse") },
  { code: "KeyS", letter: "S", icon: "stop", label: gettext("Stop rehearsing"), shown: ({ broadcast }) => mayLead && broadcast.state === "rehearsing", act: async () => { if (await post(config.urls.rehearse, { on: false }).catch((error) => told.wrong(error))) sender.stop(); } },
  { code: "KeyL", letter: "L", icon: "air", label: gettext("Go live"), kind: "main", shown: ({ broadcast }) => mayLead && (broadcast.state === "planned" || broadcast.state === "rehearsing"), act: () => begin("go_live") },
  { code: "KeyE", letter: "E", icon: "stop", label: gettext("End"), kind: "danger", shown: (state) => mayLead && inAir(state), act: () => parts["end-dialog"].showModal() },
]);
keys.redraw = () => draw();

parts["end-yes"].addEventListener("click", async () => {
  parts["end-yes"].disabled = true;
  const answer = await command("end");
  parts["end-yes"].disabled = false;
  parts["end-dialog"].close();
  if (answer) sender.stop();
});

for (const button of document.querySelectorAll(".views button")) {
  button.addEventListener("click", () => {
    studio.dataset.view = button.dataset.view;
    drawViews();
  });
}
function drawViews() {
  for (const button of document.querySelectorAll(".views button")) button.setAttribute("aria-pressed", button.dataset.view === studio.dataset.view);
}

// ---- state ----

const board = new Board(parts);

/** A role that was given or taken meanwhile: the keys on this page are no longer the right ones. */
const hasOtherRole = () => socket.you !== undefined && socket.you.role !== config.person.role;
socket.addEventListener("welcome", () => {
  if (hasOtherRole() && socket.you.role !== "host") sender.stop();
  draw();
});

function drawLine({ broadcast }) {
  const isAir = broadcast.state === "on_air" || broadcast.state === "interrupted";
  const [text, bad] =
    socket.line === "refused" || hasOtherRole() ? [gettext("This studio is closed to you. Reload the page."), true]
      : socket.line === "lost" ? [gettext("The line to the room is down. It comes back by itself."), true]
      : sent.state === "replaced" ? [gettext("Another device sends the picture now."), false]
      : isAir && sender.isOwn && sent.state === "reconnecting" ? [gettext("Your picture does not reach the room. It comes back by itself, viewers keep their seat."), true]
      : isAir && sender.isOwn && sent.state === "failed" ? [gettext("Nothing is sent. Choose a source again."), true]
      : broadcast.state === "interrupted" ? [gettext("No picture reaches the room. Viewers keep their seat."), false]
      : [""];
  parts.line.hidden = !text;
  parts.line.toggleAttribute("data-bad", Boolean(bad));
  setText(parts.line, text);
}

function drawMonitor(state) {
  // Whoever does not send sees what the room sees.
  const isWatching = inShow(state) && !sender.isOwn;
  if (isWatching && parts.seen.hidden) watch();
  else if (!isWatching && !parts.seen.hidden) parts.seen.detach();
  const isChoosing = isWatching && studio.hasAttribute("data-source") && Boolean(sender.stream);
  parts.seen.hidden = !isWatching;
  parts.seen.style.visibility = isChoosing ? "hidden" : "";
  parts.own.hidden = isWatching && !isChoosing;
  parts.empty.hidden = isWatching || Boolean(sender.stream);
  fitMonitor();
  parts.muted.hidden = !isMicOff;
}

async function watch() {
  if (!config.tickets.watch) await renew();
  parts.seen.attach({
    gateway: config.gateway,
    broadcast: studio.dataset.broadcast,
    async getTicket({ fresh } = {}) {
      if (fresh) await renew();
      return config.tickets.watch?.ticket;
    },
  });
}

function aboutRecording() {
  if (config.recording) return gettext("The recording stands in the room. What was ordered stands in your shop.");
  if (config.recording_missing) return gettext("The recording is missing: no video of this show was found. Please tell whoever runs this installation. What was ordered stands in your shop.");
  return gettext("The recording is being put together. What was ordered stands in your shop.");
}

function drawAfter({ broadcast }) {
  if (!isOver(broadcast.state) || !parts.after.hidden) return;
  parts.after.hidden = false;
  sender.close();
  parts.own.srcObject = null;
  const isCancelled = broadcast.state === "cancelled";
  parts.after.replaceChildren(
    h("h2", {}, isCancelled ? gettext("The show was cancelled") : gettext("The show is over")),
    h("p", { class: "lead", style: { "margin-inline": "auto" } }, isCancelled ? gettext("It will not take place. Its room says so.") : aboutRecording()),
    h("p", { class: "row", style: { "justify-content": "center", "margin-top": "1rem" } },
      h("a", { class: "button", href: studio.querySelector(".board__back").getAttribute("href") }, gettext("To my shop")),
      h("a", { class: "button button--second", href: studio.dataset.room }, gettext("See the room"))));
}

function draw() {
  const { state } = socket;
  if (!state?.broadcast) return;
  const nowMs = socket.now();
  studio.dataset.show = state.broadcast.state;
  board.update(state);
  board.turn(state, nowMs);
  running.update(state, nowMs);
  asked.update(state);
  keys.update(state);
  check.update(state);
  if (parts["add-dialog"].open) adding.draw();
  parts["send-here"].hidden = !inShow(state) || sender.isOwn || !sender.stream;
  drawChecks();
  drawEncoder();
  drawMonitor(state);
  drawLine(state);
  drawAfter(state);
}

socket.addEventListener("state", ({ detail: { events } }) => {
  draw();
  for (const event of events) if (event.k === "question") told.aloud(interpolate(gettext("Question of %(name)s: %(text)s"), event.d, true));
});
socket.addEventListener("line", draw);
// The screen of the host must not go dark in the middle of a sentence.
stayAwake(() => Boolean(socket.state?.broadcast) && inShow(socket.state));
socket.addEventListener("pulse", ({ detail }) => board.figures(detail));
socket.addEventListener("board", ({ detail }) => board.figures(detail));

setInterval(() => {
  if (!socket.state) return;
  const nowMs = socket.now();
  board.turn(socket.state, nowMs);
  running.turn(nowMs);
  fitMonitor();
  drawEncoder();
}, TURN_MS);

// Closing the page by mistake would take the picture from the room.
addEventListener("beforeunload", (event) => {
  if (socket.state && inAir(socket.state) && sender.isOwn) event.preventDefault();
});


drawViews();
draw();
socket.open();
if (mayLead && socket.state && !inShow(socket.state) && !isOver(socket.state.broadcast.state)) measure();
if (mayLead && socket.state?.broadcast.state === "planned") check.open();
else if (mayLead && inShow(socket.state) && sessionStorage.getItem(SENDING)) {
  // The page was reloaded in the middle of the show: the picture goes on.
  check.open().then(() => sender.stream && sender.start());
}
