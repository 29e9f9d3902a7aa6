/** Scanning with the camera, where the browser can read barcodes by itself. A scanner on a cable types, and needs nothing. */

import { h, key, notice } from "./dom.js";

export const canScan = () => "BarcodeDetector" in globalThis && Boolean(navigator.mediaDevices?.getUserMedia);

/** A dialog with the picture of the camera; `read(code)` for each code, once until another one is seen. */
export async function scanWithCamera(read) {
  const video = h("video", { class: "till__camera", autoplay: true, muted: true, playsinline: true });
  const said = h("div", {});
  const dialog = h("dialog", { class: "dialog", "aria-label": gettext("Scan with the camera") }, video, said, h("div", { class: "form__keys" }, key(gettext("Done"), () => dialog.close())));
  document.body.append(dialog);
  dialog.showModal();
  let stream;
  dialog.addEventListener("close", () => {
    stream?.getTracks().forEach((track) => track.stop());
    dialog.remove();
  });
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    return void said.replaceChildren(notice(gettext("The camera cannot be used. Please allow it in the browser, or type the code.")));
  }
  video.srcObject = stream;
  const detector = new BarcodeDetector({ formats: ["ean_13", "code_128", "qr_code"] });
  let last = "";
  const look = async () => {
    if (!dialog.open) return;
    const found = await detector.detect(video).catch(() => []);
    const code = found[0]?.rawValue ?? "";
    if (code && code !== last) read(code);
    last = code;
    setTimeout(look, 150);
  };
  look();
}
