// How the index stands, and how far a running build is.

import * as api from "./api.js";
import { $, clock, count, el } from "./dom.js";

const BUSY_MS = 2000;
const IDLE_MS = 20000;

let latest = null;
let generation = null;
let timer = 0;

/** Look now and again; `published()` is called when a build has added something. */
export function watch(published) {
  const look = async () => {
    clearTimeout(timer);
    if (!document.hidden) {
      try {
        latest = await api.get("status");
        show(latest);
        if (generation !== null && latest.generation !== generation) published();
        generation = latest.generation;
      } catch (error) {
        latest = null;
        alarm(error.message);
      }
    }
    timer = setTimeout(look, latest?.building ? BUSY_MS : IDLE_MS);
  };
  document.addEventListener("visibilitychange", look);
  $("stand").addEventListener("click", openSheet);
  return look();
}

function alarm(text) {
  $("stand").textContent = text;
  $("stand").classList.add("alert");
  $("progress").hidden = true;
}

function show(status) {
  const { building } = status;
  const share = building ? Math.round(100 * building.share) : 0;
  $("stand").textContent = building ? `Indexing ${share} %` : status.problem ? "Index out of reach" : count(status.videos, "video");
  $("stand").classList.toggle("alert", Boolean(status.problem || status.words_problem || status.failed.length));
  $("stand").setAttribute("aria-label", `${$("stand").textContent}: the index`);
  $("progress").hidden = !building;
  $("progress").setAttribute("aria-valuenow", share);
  $("progress").firstElementChild.style.width = `${share}%`;
}

function openSheet() {
  const body = $("state").querySelector(".body");
  body.replaceChildren(...(latest ? facts(latest) : [el("p", {}, "unify serve does not answer: start it again.")]));
  $("state").showModal();
}

function facts(status) {
  const { building } = status;
  const line = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
  return [
    ...(status.problem ? [el("p", {}, status.problem)] : []),
    ...(status.words_problem ? [el("p", {}, `The dictionary is left out: ${status.words_problem}`)] : []),
    el("dl", {},
      line("Videos", status.videos.toLocaleString("en") + (status.video_s === null ? "" : `, ${clock(status.video_s)} in all`)),
      line("Moments", status.moments.toLocaleString("en")),
      ...(status.size_bytes === null ? [] : [line("Size", `${(status.size_bytes / 1e6).toFixed(1)} MB, generation ${status.generation}`)]),
      line("Model", status.pack),
      ...(status.pending ? [line("Waiting for a build", count(status.pending, "video"))] : []),
      ...(building ? [
        line("A build runs", `${building.done + building.failed} of ${count(building.videos, "video")}, ${Math.round(100 * building.share)} %`),
        line("Now", building.current || "…"),
        line("So far", `${clock(building.video_s)} of video`),
        ...(building.left_s === null ? [] : [line("Left", `about ${clock(building.left_s)}`)]),
      ] : [])),
    ...list("Cannot be read", status.failed.map((one) => `${one.video}: ${one.reason}`)),
    ...list("Damaged in part", status.damaged.map((one) => `${one.video}: ${one.reason}`)),
    ...list("Files that are gone", status.missing),
    el("p", {}, "To add videos: ", el("code", {}, "unify index build FOLDER"), ". This page follows it."),
  ];
}

function list(title, lines) {
  return lines.length ? [el("h3", {}, `${title} (${lines.length})`), el("ul", {}, lines.slice(0, 50).map((text) => el("li", {}, text)))] : [];
}
