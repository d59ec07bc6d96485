// Files that the server makes: asked for, waited for, and saved; what goes on stands in the tray.

import * as api from "./api.js";
import { $, act, cross, el } from "./dom.js";

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
  const said = el("span", {}, `Making ${what}\u00a0…`);
  const cancel = act("Cancel", () => giving.abort());
  const job = el("div", { class: "job busy" }, said, cancel);
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
    said.textContent = api.told(error);
  }
  job.classList.remove("busy");
  const close = cross("Close this message", () => job.remove());
  const focused = cancel === document.activeElement;
  cancel.replaceWith(close);
  if (focused) close.focus();
}

/** Give a file to the browser, to be saved under a name. */
function keep(file, name) {
  const url = URL.createObjectURL(file);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
