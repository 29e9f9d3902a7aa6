/** Asking the web process. Every answer is JSON; a refusal is an `Error` with the house's code and sentence. */

export class RequestError extends Error {
  constructor(code, text, status = 0, data = {}) {
    super(text);
    this.code = code;
    this.status = status;
    this.data = data;
  }
}

let csrf = "";

/** The token that every POST carries; it changes when somebody signs in or chooses a name. */
export function setCsrf(token) {
  csrf = token;
}

/**
 * A new UUID (version 4), the key of a request that may have to be sent again. `crypto.randomUUID` is missing on pages that
 * came over plain http from another machine; random bytes are everywhere.
 */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** POSTs an object as JSON (a `FormData` as it is) and returns the object that comes back ({} for 204). */
export async function post(url, body = {}, { timeout = 12_000, keepalive = false } = {}) {
  const isForm = body instanceof FormData;
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      body: isForm ? body : JSON.stringify(body),
      headers: { ...(isForm ? {} : { "content-type": "application/json" }), accept: "application/json", "x-csrftoken": csrf },
      credentials: "same-origin",
      signal: AbortSignal.timeout(timeout),
      keepalive,
    });
  } catch {
    throw new RequestError("unreachable", gettext("The line is down. Nothing was changed; try once more."));
  }
  return read(response);
}

/** GETs a JSON object. */
export async function get(url, { timeout = 12_000 } = {}) {
  let response;
  try {
    response = await fetch(url, { headers: { accept: "application/json" }, credentials: "same-origin", signal: AbortSignal.timeout(timeout) });
  } catch {
    throw new RequestError("unreachable", gettext("The line is down. Nothing was changed; try once more."));
  }
  return read(response);
}

async function read(response) {
  const text = await response.text();
  let answer = {};
  try {
    answer = text ? JSON.parse(text) : {};
  } catch {
    // A page instead of JSON: an error page, or a sign-in page after the session ended.
    throw new RequestError("unexpected", gettext("That did not work. Reload the page and try once more."), response.status);
  }
  if (response.ok) return answer;
  const { code = "unexpected", text: sentence, data = {} } = answer.error ?? {};
  throw new RequestError(code, sentence ?? gettext("That did not work. Reload the page and try once more."), response.status, data);
}
