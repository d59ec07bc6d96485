// What the player offers of its video: the moment as a clip, and chapters.

import * as api from "./api.js";
import { act, clock, el, icon, span } from "./dom.js";
import * as menu from "./menu.js";
import { save } from "./save.js";

/**
 * Make the buttons, and the box that the chapters go into.
 *
 * @param hit what plays: start_s, and end_s or null
 * @param facts of its video
 * @param video the element that plays it
 * @returns `buttons`, `box`
 */
export function clipTools(hit, facts, video) {
  const box = el("div", { class: "chapters", id: "chapters", hidden: true });
  const cut = el("button", { class: "quiet cut", type: "button", "aria-haspopup": "dialog", title: "Cut (C)", onclick: () => offer(cut, hit, facts, video) }, icon("cut"), "Cut");
  const chapters = el("button", { class: "quiet", type: "button", "aria-expanded": "false", "aria-controls": "chapters", onclick: () => {
    box.hidden = !box.hidden;
    chapters.setAttribute("aria-expanded", String(!box.hidden));
    if (!box.hidden && !box.children.length) fill(box, facts, video);
  } }, icon("list"), "Chapters");
  return { buttons: [cut, chapters], box };
}

/** Offer the moment as a clip: what was found, or what is on the screen once that is another one. */
async function offer(button, hit, facts, video) {
  const { start_s, end_s } = await moment(hit, facts, video);
  const get = (mode) => () => save(`a clip of ${facts.name}, ${span(start_s, end_s)}`, `videos/${facts.video_id}/cut`, { start_s, end_s, mode }, (headers) => remarks(headers, start_s));
  menu.open(button, "Cut this moment", [
    el("p", {}, el("strong", {}, span(start_s, end_s)), ` of ${facts.name}`),
    menu.item("Exact", el("small", {}, "right to the picture; encoded again"), get("exact")),
    menu.item("Fast", el("small", {}, "copied as stored; may begin earlier"), get("fast")),
  ]);
}

async function moment(hit, facts, video) {
  const at = video.videoWidth ? video.currentTime : hit.start_s; // it may not play here
  if (hit.end_s && at >= hit.start_s - 1 && at <= hit.end_s + 1) return hit;
  const all = await api.get(`videos/${facts.video_id}/moments`).catch(() => ({ moments: [] }));
  const middle = (one) => Math.abs((one.start_s + one.end_s) / 2 - at);
  const holding = all.moments.filter((one) => one.start_s <= at && at <= one.end_s).sort((a, b) => middle(a) - middle(b));
  return holding[0] ?? { start_s: at, end_s: Math.min(at + 10, Math.max(facts.duration_s, at + 1)) };
}

/** What a clip is beside what was asked. */
function remarks(headers, start_s) {
  const got = JSON.parse(headers.get("unify-cut"));
  const early = start_s - got.start_s;
  return [
    early > 0.05 ? `begins ${early.toFixed(1)} s before the moment` : "",
    got.left_out.length ? `left out: ${got.left_out.join(", ")}` : "",
    got.damage ? `damaged: ${got.damage}` : "",
  ].filter(Boolean).join("; ");
}

/** Show the chapters of a video, by what it shows or by subjects, and ways to save them. */
function fill(box, facts, video) {
  const path = `videos/${facts.video_id}/chapters`;
  const list = el("ol", { class: "list" });
  const fault = el("p", { class: "fault", role: "alert" });
  const subjects = el("input", { type: "text", "aria-label": "Subjects of chapters", placeholder: "By subjects: a cat, a rocket", autocomplete: "off" });
  const asked = () => ({ q: subjects.value.split(",").map((one) => one.trim()).filter(Boolean) });
  let asking = new AbortController();
  const show = async () => {
    asking.abort();
    asking = new AbortController();
    fault.textContent = "";
    list.classList.add("stale");
    try {
      const { chapters } = await api.get(path, asked(), asking.signal);
      list.classList.remove("stale");
      list.replaceChildren(...chapters.map((one) => el("li", {}, el("button", { type: "button", onclick: () => { video.currentTime = one.start_s; } }, el("time", {}, clock(Math.round(one.start_s))), one.title))));
    } catch (error) {
      if (error.name !== "AbortError") fault.textContent = error.message;
    }
  };
  const link = (text, format) => act(text, () => save(`chapters of ${facts.name}`, path, { ...asked(), format }));
  box.replaceChildren(
    el("form", { onsubmit: (event) => { event.preventDefault(); show(); } }, subjects),
    fault, list,
    el("p", { class: "acts" }, el("span", {}, "Save as"), link("List", "list"), link("WebVTT", "webvtt"), link("FFmpeg", "ffmetadata")));
  return show();
}
