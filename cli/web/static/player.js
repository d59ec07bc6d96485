// The player: jumps to the moment, and shows under its timeline when each word shows.

import * as api from "./api.js";
import { clipTools } from "./clip.js";
import { $, act, clock, cross, decimal, el, icon, span, svg } from "./dom.js";

const LINES = 8;
const SUMMED = 8;

let shown = null; // the video element that plays now

/**
 * Open a moment.
 *
 * @param hit the hit, or what is known of it: video_id, start_s, and end_s or null
 * @param facts of the video, as the server gave them
 * @param acts `close()`, `like(hit)`, `term(button, word)`, `others()` hits of the same video
 */
export function openPlayer(hit, facts, acts) {
  const player = $("player");
  const video = el("video", { controls: true, playsinline: true, preload: "metadata", src: api.stream(facts.video_id), "aria-label": facts.name });
  const screen = el("div", { class: "screen" }, video);
  const lines = el("div", { class: "lines" });
  const tools = clipTools(hit, facts, video);
  player.replaceChildren(
    el("div", { class: "inner" },
      el("div", { class: "title" },
        el("div", {},
          el("h2", { id: "playing", tabindex: "-1", title: facts.video }, facts.name),
          el("p", {}, hit.end_s ? `${span(hit.start_s, hit.end_s)} of ${clock(facts.duration_s)} · ` : `${clock(facts.duration_s)} · `, folderOf(facts.video))),
        cross("Close the player", acts.close)),
      screen,
      el("div", { class: "acts" },
        act([icon("like"), "More like this"], () => acts.like(nearby(hit, video))),
        act([icon("link"), "Copy link"], (event) => copyLink(event.currentTarget)),
        ...tools.buttons,
        el("a", { class: "quiet", href: api.stream(facts.video_id, true), download: facts.name }, icon("down"), "Download")),
      tools.box,
      lines,
      hit.terms ? sum(hit, acts.term) : null),
  );
  player.hidden = false;
  shown = video;
  video.addEventListener("loadedmetadata", () => {
    if (!video.videoWidth) return refuse(screen, hit, facts);
    video.currentTime = hit.start_s;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) video.play().catch(() => {});
  });
  video.addEventListener("error", () => refuse(screen, hit, facts));
  drawLines(lines, hit, facts, video, acts);
  player.querySelector("h2").focus({ preventScroll: true });
}

/** Pause, or play on; false where nothing is open. */
export function pause() {
  if (!shown) return false;
  if (shown.paused) shown.play().catch(() => {});
  else shown.pause();
  return true;
}

/** Stop and empty the player. */
export function closePlayer() {
  shown?.pause();
  shown?.removeAttribute("src");
  shown = null;
  $("player").hidden = true;
  $("player").replaceChildren();
}

const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/"))) || ".";

/** Where "more like this" starts: what is on the screen, once it is another moment. */
function nearby(hit, video) {
  const away = hit.end_s && (video.currentTime < hit.start_s - 1 || video.currentTime > hit.end_s + 1);
  return away || !hit.end_s ? { ...hit, like_s: video.currentTime } : hit;
}

/** Say why nothing plays: the file cannot be had, or the browser does not know its kind. */
async function refuse(screen, hit, facts) {
  const error = await api.refusal(api.stream(facts.video_id));
  const say = (...lines) => screen.replaceChildren(el("div", { class: "unplayable", role: "alert" }, ...lines));
  if (error) return say(el("p", {}, el("strong", {}, `${error.message}.`)), el("p", {}, error.hint));
  say(el("p", {}, el("strong", {}, `This browser cannot play ${facts.name}.`)),
    el("p", {}, `The moment starts at ${clock(hit.start_s, true)}. Download the file below, or run `, el("code", {}, "unify open"), " after the same search."));
}

async function copyLink(button) {
  try {
    await navigator.clipboard.writeText(location.href);
    button.lastChild.textContent = "Copied";
  } catch {
    button.lastChild.textContent = "Copy it from the address bar";
  }
}

/** Draw a line for each word over the whole video, and let a click jump there. */
async function drawLines(box, hit, facts, video, acts) {
  const words = hit.terms?.filter((match) => match.part > 0 && match.source !== "subtitles").slice(0, LINES).map((match) => match.term);
  let found;
  try {
    found = await api.get(`videos/${facts.video_id}/terms`, { top: LINES, ...(words?.length ? { term: words } : {}) });
  } catch {
    return; // the player works without
  }
  const length = found.duration_s || 1;
  const jump = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    video.currentTime = Math.max(0, Math.min(1, (event.clientX - left) / width)) * length;
  };
  const now = el("div", { class: "now" });
  box.replaceChildren(ruler(hit, acts.others(), length, jump), ...found.tracks.map((track) => row(track, found.shows_at, jump, acts.term)), now);
  const follow = () => now.style.setProperty("--at", Math.min(1, video.currentTime / length));
  for (const event of ["timeupdate", "seeking", "loadedmetadata"]) video.addEventListener(event, follow);
  follow();
}

function ruler(hit, others, length, jump) {
  const bar = (one, on) => svg("rect", { class: `span${on ? " on" : ""}`, x: (100 * one.start_s) / length, width: Math.max(0.4, (100 * (one.end_s - one.start_s)) / length), y: 8, height: 8, rx: 0.6 });
  const bars = [...others.map((one) => bar(one, false)), ...(hit.end_s ? [bar(hit, true)] : [])];
  return el("div", { class: "row ruler", "aria-hidden": "true" }, el("span", {}, clock(length)),
    svg("svg", { viewBox: "0 0 100 24", preserveAspectRatio: "none", onclick: jump }, svg("rect", { class: "base", width: 100, y: 8, height: 8 }), ...bars));
}

function row(track, showsAt, jump, onTerm) {
  const top = Math.max(showsAt, ...track.weights);
  const n = track.weights.length;
  const height = (i) => (21 - (19 * (track.weights[i] ?? 0)) / top).toFixed(2);
  const points = track.weights.map((_, i) => `${((100 * (i + 0.5)) / n).toFixed(2)},${height(i)}`);
  const when = track.shows.map(([a, b]) => (a === b ? clock(a) : span(a, b))).join(", ");
  const line = svg("svg", { viewBox: "0 0 100 22", preserveAspectRatio: "none", role: "img", "aria-label": when ? `${track.term} shows at ${when}` : `${track.term} does not show clearly`, onclick: jump },
    svg("path", { class: "track", d: `M0,21 L0,${height(0)} ${points.map((point) => `L${point}`).join(" ")} L100,${height(n - 1)} L100,21` }));
  return el("div", { class: "row" },
    el("button", { type: "button", title: when, onclick: (event) => onTerm(event.currentTarget, track.term) }, track.term), line);
}

/** How the score adds up. */
function sum(hit, onTerm) {
  const words = hit.terms.slice(0, SUMMED);
  const rest = hit.terms.slice(SUMMED).reduce((total, match) => total + match.part, 0);
  const parts = [
    ...words.map((match) => [match.source === "subtitles" ? `said: ${match.term}` : match.term, match.part, match.term]),
    ...(hit.terms.length > SUMMED ? [[`${hit.terms.length - SUMMED} more`, rest]] : []),
    ["scene", hit.parts.latent],
    ["base", hit.parts.base],
    ...(hit.parts.pool ? [["pool", hit.parts.pool]] : []),
  ];
  const most = Math.max(...parts.map(([, part]) => Math.abs(part)), 1e-9);
  const rows = parts.map(([name, part]) => {
    const bar = el("div", { class: `bar-of${part < 0 ? " minus" : ""}` });
    bar.style.width = `${(100 * Math.abs(part)) / most}%`;
    return el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, bar), el("td", {}, `${part < 0 ? "" : "+"}${decimal(part, 2)}`));
  });
  return el("table", { class: "sum" },
    el("caption", {}, "Why this moment"),
    el("tbody", {}, ...rows, el("tr", { class: "total" }, el("th", { scope: "row" }, "score"), el("td", {}), el("td", {}, decimal(hit.score, 2)))));
}
