/** Asking the house. One request at a time, over all windows of the device: an answer is never older than the one before. */

export class Refused extends Error {
  constructor(code, text, status = 0) {
    super(text);
    this.code = code;
    this.status = status;
  }
}

/** No answer: nobody knows whether the house has heard. */
export class NoAnswer extends Error {}

let last = Promise.resolve();

function inTurn(act) {
  if (navigator.locks) return navigator.locks.request("silkroom-till-line", act);
  last = last.then(act, act);
  return last;
}

/** POSTs JSON. Raises Refused, NoAnswer. */
export function ask(path, body = {}, { token, patience = 6_000 } = {}) {
  return inTurn(() => send(path, body, token, patience));
}

async function send(path, body, token, patience) {
  let response;
  let answer;
  try {
    response = await fetch(`api/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", accept: "application/json", ...(token && { authorization: `Till ${token}` }) },
      credentials: "same-origin",
      signal: AbortSignal.timeout(patience),
    });
    answer = await response.json();
  } catch {
    throw new NoAnswer();
  }
  if (response.ok) return answer;
  if (response.status >= 500 || !answer.error) throw new NoAnswer();
  throw new Refused(answer.error.code, answer.error.text, response.status);
}
