// The REST interface, as the page uses it.

const ROOT = "api/v1/";

/** What the server refused: `message`, `hint` and, for a query, `position`. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.message || `the server answered ${status}`);
    this.status = status;
    this.hint = body.hint || "";
    this.position = body.position ?? null;
  }
}

function address(path, params) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === "" || value === null || value === undefined || value === false) continue;
    for (const one of [value].flat()) search.append(name, one);
  }
  return `${ROOT}${path}?${search}`;
}

export async function get(path, params = {}, signal = undefined) {
  let answer;
  let body = {};
  try {
    answer = await fetch(address(path, params), { signal, headers: { accept: "application/json" } });
    body = await answer.json(); // may be given up half way, too
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (!answer || answer.ok) throw new Refused(0, { message: "unify serve does not answer", hint: "start it again" });
  }
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/** Why a file cannot be had, or null: what shows media does not say. */
export async function refusal(url) {
  const answer = await fetch(url, { headers: { range: "bytes=0-0" } }).catch(() => null);
  if (!answer) return new Refused(0, { message: "unify serve does not answer", hint: "start it again" });
  return answer.ok ? null : new Refused(answer.status, await answer.json().catch(() => ({})));
}

export const thumbnail = (video, seconds, width = 640) =>
  address(`videos/${video}/thumbnail`, { t: seconds.toFixed(2), w: width });

export const stream = (video, download = false) => address(`videos/${video}/stream`, { download });
