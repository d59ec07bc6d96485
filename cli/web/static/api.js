// The REST interface, as the page uses it.

const ROOT = "api/v1/";

const SILENT = { message: "unify serve does not answer", hint: "start it again" };

/** An error in one line. */
export const told = (error) => (error.hint ? `${error.message}: ${error.hint}` : error.message);

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
    if (!answer || answer.ok) throw new Refused(0, SILENT);
  }
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/**
 * Send a file.
 *
 * @param type its media type
 * @param signal gives it up
 * @param shared called with the share of it that is sent
 */
export function send(path, file, type, signal = undefined, shared = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how far it is
    request.open("POST", ROOT + path);
    request.setRequestHeader("content-type", type);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => shared(loaded / total));
    request.addEventListener("load", () => request.status < 300 ? resolve(request.response) : reject(new Refused(request.status, request.response ?? {})));
    request.addEventListener("error", () => reject(new Refused(0, { message: `${file.name} could not be sent`, hint: "unify serve ended, or refused it half way" })));
    request.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** Have a file made: resolves to its `file` (a Blob), its `name`, and the answer's `headers`. */
export async function file(path, params, signal) {
  const answer = await fetch(address(path, params), { signal }).catch((error) => {
    throw error.name === "AbortError" ? error : new Refused(0, SILENT);
  });
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  const [, coded, plain] = /filename(?:\*=utf-8''([^;]+)|="([^"]+)")/i.exec(answer.headers.get("content-disposition")) ?? [];
  return { file: await answer.blob(), name: coded ? decodeURIComponent(coded) : plain, headers: answer.headers };
}

/** Why a file cannot be had, or null: what shows media does not say. */
export async function refusal(url) {
  const answer = await fetch(url, { headers: { range: "bytes=0-0" } }).catch(() => null);
  if (!answer) return new Refused(0, SILENT);
  return answer.ok ? null : new Refused(answer.status, await answer.json().catch(() => ({})));
}

export const thumbnail = (video, seconds, width = 640) =>
  address(`videos/${video}/thumbnail`, { t: seconds.toFixed(2), w: width });

export const stream = (video, download = false) => address(`videos/${video}/stream`, { download });
