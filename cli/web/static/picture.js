// A picture or clip of one's own to search by: chosen, dropped or pasted, and sent to the server.

import * as api from "./api.js";
import { $, cross, el } from "./dom.js";

const MIB = 1 << 20;
const MOST = { image: 32 * MIB, video: 256 * MIB }; // what the server takes
const LATER_MS = 250; // most are there before a word about it could be read

const files = new Map(); // what this tab has sent, by the name that the server gave it
const again = new Map(); // what is being sent once more
let running = new AbortController();

/** The file name of what was sent, where this tab knows it. */
export const nameOf = (picture) => files.get(picture)?.name ?? "what you sent";

export const thumbnail = (picture) => `api/v1/pictures/${encodeURIComponent(picture)}/thumbnail`;

/** Let a file be chosen. */
export const choose = () => $("file").click();

/**
 * Take what is chosen, dropped or pasted.
 *
 * @param found called with the server's name of it
 */
export function setUp(found) {
  const take = (chosen) => chosen.length && send([...chosen], found);
  $("show").addEventListener("click", choose);
  $("file").addEventListener("change", ({ target }) => {
    take(target.files);
    target.value = ""; // the same file may be chosen again
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    if (!clipboardData?.types.includes("text/plain")) take(clipboardData?.files ?? []);
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    $("drop").hidden = false;
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && hideDrop());
  document.addEventListener("drop", (event) => {
    hideDrop();
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}

const hideDrop = () => {
  $("drop").hidden = true;
};

/** Ask the server; where it has forgotten a picture that this tab holds, send it again before. */
export async function asking(picture, get) {
  try {
    return await get();
  } catch (error) {
    if (!picture || error.status !== 404) throw error;
    if (!files.has(picture)) throw new api.Refused(404, { message: "unify serve no longer has this picture", hint: "choose it again" });
    if (!again.has(picture)) {
      const file = files.get(picture);
      again.set(picture, api.send("pictures", file, typeOf(file)).finally(() => again.delete(picture)));
    }
    await again.get(picture);
    return get();
  }
}

/** Send a file, and say how far it is; another one, or a click, gives it up. */
async function send(chosen, found) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  $("fault").textContent = "";
  try {
    const file = only(chosen);
    const timer = setTimeout(() => showSending(file), LATER_MS);
    signal.addEventListener("abort", () => clearTimeout(timer));
    const { picture } = await api.send("pictures", file, typeOf(file), signal, showShare).finally(() => clearTimeout(timer));
    files.set(picture, file);
    $("sending").hidden = true;
    found(picture);
  } catch (error) {
    if (error.name === "AbortError") return;
    $("sending").hidden = true;
    $("fault").textContent = api.told(error);
  }
}

/** The one file that was chosen, if it can be sent. */
function only(chosen) {
  const refuse = (message, hint) => { throw new api.Refused(0, { message, hint }); };
  const [file] = chosen;
  if (chosen.length > 1) refuse(`${chosen.length} files at once`, "give one picture or clip");
  const most = MOST[typeOf(file).split("/")[0]];
  if (!most) refuse(`${file.name} is neither a picture nor a clip`, "give a photo or a video file");
  if (file.size > most) refuse(`${file.name} is too large`, `a picture has at most ${MOST.image / MIB} MB, a clip ${MOST.video / MIB} MB`);
  return file;
}

/** Its type; a browser has none for some kinds of video. */
const typeOf = (file) => file.type || "video/unknown";

function showSending(file) {
  const progress = el("progress", { "aria-label": "Sent", max: 1, value: 0 });
  const stop = () => {
    running.abort();
    $("sending").hidden = true;
    $("show").focus();
  };
  $("sending").replaceChildren(
    el("p", {}, `Sending ${file.name}\u00a0…`, progress),
    cross("Do not send it", stop),
  );
  $("sending").hidden = false;
  $("live").textContent = `Sending ${file.name}`;
}

/** Once all is sent, the server looks at it: for how long nobody knows. */
function showShare(share) {
  const progress = $("sending").querySelector("progress");
  if (!progress) return;
  if (share < 1) progress.value = share;
  else progress.removeAttribute("value");
}
