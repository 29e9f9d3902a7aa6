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
