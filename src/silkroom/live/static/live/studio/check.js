/** Before the show: where picture and sound come from, whether they arrive, what the show is called. */
import { h, icon, keyed, setText } from "../dom.js";

const FILE = "file";

export class Check {
  #parts;
  #choose;
  #level = 0;
  #meter;
  #audio;

  /** `choose(source)` opens a source ({kind: "devices", camera, microphone} or {kind: "file", file}) and returns its stream. */
  constructor(parts, { choose, rename, cover }) {
    this.#parts = parts;
    this.#choose = choose;
    for (const part of [parts.source, parts.microphone, parts.file]) part.addEventListener("change", () => this.open());
    parts["show-title"].addEventListener("change", () => parts["show-form"].reportValidity() && rename(parts["show-title"].value.trim()));
    parts["show-form"].addEventListener("submit", (event) => {
      event.preventDefault();
      parts["show-title"].blur();
    });
    parts["cover-file"].addEventListener("change", () => parts["cover-file"].files[0] && cover(parts["cover-file"].files[0]));
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#list());
  }

  update({ broadcast }) {
    const { cover } = this.#parts;
    cover.hidden = !broadcast.cover;
    if (broadcast.cover && cover.getAttribute("src") !== broadcast.cover) cover.src = broadcast.cover;
  }

  /** Names of devices are told only after the camera was allowed once, so the lists are drawn again then. */
  async #list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const fill = (select, kind, none, more = []) => {
      const chosen = select.value;
      const found = devices.filter((one) => one.kind === kind);
      const options = [
        ...found.map((one, place) => ({ value: one.deviceId, label: one.label || interpolate(none, [place + 1]) })),
        ...more,
      ];
      keyed(select, options, (one) => one.value, (one) => h("option", { value: one.value }, one.label), (element, one) => setText(element, one.label));
      if (options.some((one) => one.value === chosen)) select.value = chosen;
    };
    fill(this.#parts.source, "videoinput", gettext("Camera %s"), [{ value: FILE, label: gettext("A video file") }]);
    fill(this.#parts.microphone, "audioinput", gettext("Microphone %s"), [{ value: "none", label: gettext("No sound") }]);
  }

  /** Opens what is chosen; at the first call what the browser gives. */
  async open() {
    await this.#list();
    const { source, file, microphone } = this.#parts;
    const isFile = source.value === FILE;
    this.#parts["file-field"].hidden = !isFile;
    this.#parts["mic-field"].hidden = isFile;
    if (isFile && !file.files[0]) return;
    const wanted = isFile ? { kind: "file", file: file.files[0] } : { kind: "devices", camera: source.value, microphone: microphone.value === "none" ? null : microphone.value };
    const stream = await this.#choose(wanted);
    await this.#list();
    if (stream) {
      const camera = stream.getVideoTracks()[0]?.getSettings?.().deviceId;
      const sound = stream.getAudioTracks()[0]?.getSettings?.().deviceId;
      if (!isFile && camera && [...source.options].some((one) => one.value === camera)) source.value = camera;
      if (!isFile && sound && [...microphone.options].some((one) => one.value === sound)) microphone.value = sound;
      this.#measure(stream);
    }
  }

  /** Loudness of what would be sent, in the colour of a level meter. */
  #measure(stream) {
    clearInterval(this.#meter);
    this.#level = 0;
    if (!stream.getAudioTracks().length) return this.#showLevel();
    this.#audio ??= new AudioContext();
    this.#audio.resume();
    const analyser = new AnalyserNode(this.#audio, { fftSize: 1024 });
    this.#audio.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#meter = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      const decibels = 20 * Math.log10(Math.max(loud, 1e-5));
      // -60 dB to 0 dB over the width; falls slowly so that the eye can follow.
      this.#level = Math.max((decibels + 60) / 60, this.#level - 0.04);
      this.#showLevel();
    }, 60);
  }

  #showLevel() {
    const level = Math.min(1, Math.max(0, this.#level));
    this.#parts.level.firstElementChild.style.setProperty("--level", level.toFixed(3));
    this.#parts.level.setAttribute("aria-valuenow", Math.round(level * 100));
  }

  /** The list of checks: [{key, state: "good" | "bad" | "wait", text}]. */
  show(checks) {
    keyed(
      this.#parts.checks, checks, (one) => one.key, () => h("li", {}, h("span"), h("span")),
      (element, { state, text }) => {
        if (element.dataset.state !== state) {
          element.dataset.state = state;
          element.firstElementChild.replaceChildren(state === "wait" ? h("span", { class: "spinner" }) : icon(state === "good" ? "check" : "warning"));
        }
        setText(element.lastElementChild, text);
      },
    );
  }
}
