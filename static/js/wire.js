// JSON over HTTP with the three kinds of failure the deck has to tell apart.

export class WireError extends Error {
  /** kind: "offline" (no answer), "busy" (try again later), "refused" (trying again will not help).
      message: the server's words, or none. */
  constructor(kind, { status = 0, retryAfter = null, message = "" } = {}) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const TIMEOUT_MS = 20_000;

export async function postJson(url, sitting, body, { keepalive = false } = {}) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-Sitting": sitting },
      body: JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      keepalive,
      signal: keepalive ? undefined : AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new WireError("offline");
  }
  if (response.ok) {
    try {
      return await response.json();
    } catch {
      throw new WireError("offline"); // the answer was cut off
    }
  }
  const status = response.status;
  const again = status === 429 || status === 408 || status >= 500;
  throw new WireError(again ? "busy" : "refused", {
    status,
    retryAfter: readRetryAfter(response.headers.get("Retry-After")),
    message: await readMessage(response),
  });
}

/** Waiting time before attempt n (0, 1, ...): the server's wish, else 1 s doubling to 30 s, with jitter. */
export function backoffMs(attempt, retryAfter = null) {
  const jitter = 0.75 + Math.random() * 0.5;
  if (retryAfter !== null) return retryAfter * 1000 + 500 * Math.random();
  return Math.min(30_000, 1000 * 2 ** attempt) * jitter;
}

function readRetryAfter(header) {
  if (!header) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(600, Math.max(0, seconds)) : null;
}

async function readMessage(response) {
  try {
    return String((await response.json()).message ?? "");
  } catch {
    return "";
  }
}
