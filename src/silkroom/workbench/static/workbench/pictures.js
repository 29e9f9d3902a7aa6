/* Sending pictures: dropped or chosen, one after the other, with progress; the list below comes back from the server. */

function send(form, file, onProgress) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    body.append("pictures", file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / event.total));
    request.addEventListener("load", () => (request.status < 400 ? resolve(request.responseText) : reject(request.status)));
    request.addEventListener("error", () => reject(0));
    request.send(body);
  });
}

async function sendAll(form, files) {
  const progress = form.querySelector("progress");
  const sentences = [];
  let answer = "";
  progress.hidden = false;
  for (const [index, file] of files.entries()) {
    try {
      answer = await send(form, file, (part) => { progress.value = (index + part) / files.length; });
      const part = new DOMParser().parseFromString(answer, "text/html");
      sentences.push(...[...part.querySelectorAll("[data-drop-errors] li")].map((one) => one.textContent));
    } catch (status) {
      const why = status === 413 ? gettext("too large") : gettext("could not be sent, try again");
      sentences.push(`${file.name}: ${why}`);
    }
  }
  progress.hidden = true;
  if (answer) {
    const fresh = new DOMParser().parseFromString(answer, "text/html").getElementById("pictures");
    document.getElementById("pictures").replaceWith(fresh);
    window.htmx?.process(fresh);
  }
  const list = document.createElement("ul");
  list.className = "errorlist";
  list.setAttribute("role", "alert");
  list.append(...sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  document.querySelector("[data-drop-errors]").replaceChildren(...(sentences.length ? [list] : []));
  start();
}

function start() {
  const form = document.querySelector("[data-drop]");
  if (!form || form.dataset.live) return;
  form.dataset.live = "true";
  const area = form.querySelector(".drop__area");
  const input = form.querySelector("input[type=file]");
  input.addEventListener("change", () => input.files.length && sendAll(form, [...input.files]));
  for (const kind of ["dragenter", "dragover"]) {
    area.addEventListener(kind, (event) => {
      event.preventDefault();
      area.dataset.over = "true";
    });
  }
  area.addEventListener("dragleave", () => delete area.dataset.over);
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    delete area.dataset.over;
    if (event.dataTransfer.files.length) sendAll(form, [...event.dataTransfer.files]);
  });
}

start();
document.body.addEventListener("htmx:afterSwap", start);
