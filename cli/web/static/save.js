// Files that the server makes: asked for, waited for, and saved; what goes on stands in the tray.

import * as api from "./api.js";
import { $, el, icon } from "./dom.js";

const SHOWN_MS = 8000; // once it is saved

/**
 * Have a file made, and save it.
 *
 * @param what it is, for people
 * @param path of REST
 * @param params of it
 * @param remarks `(headers)`: what is to be said of it, or ""
 */
export async function save(what, path, params, remarks = () => "") {
  const giving = new AbortController();
  const said = el("span", {}, `Making ${what} …`);
  const away = el("button", { class: "quiet", type: "button", onclick: () => giving.abort() }, "Cancel");
  const job = el("div", { class: "job busy" }, said, away);
  $("tray").append(job);
  $("live").textContent = said.textContent;
  try {
    const { file, name, headers } = await api.file(path, params, giving.signal);
    keep(file, name);
    const remark = remarks(headers);
    said.textContent = remark ? `Saved ${name}: ${remark}` : `Saved ${name}`;
    $("live").textContent = said.textContent;
    if (!remark) setTimeout(() => job.contains(document.activeElement) || job.remove(), SHOWN_MS);
  } catch (error) {
    if (error.name === "AbortError") return job.remove();
    said.setAttribute("role", "alert");
    job.classList.add("failed");
    said.textContent = error.hint ? `${error.message}: ${error.hint}` : error.message;
  }
  job.classList.remove("busy");
  const close = el("button", { class: "tool", type: "button", "aria-label": "Close this message", onclick: () => job.remove() }, icon("close"));
  const focused = away === document.activeElement;
  away.replaceWith(close);
  if (focused) close.focus();
}

/** Give a file to the browser, to be saved under a name. */
function keep(file, name) {
  const url = URL.createObjectURL(file);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
