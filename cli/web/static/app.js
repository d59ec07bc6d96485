// The page: what is asked goes to the server, what it answers is shown, the address keeps both.

import * as api from "./api.js";
import { $, count, el, icon, nameOf, clock } from "./dom.js";
import * as keys from "./keys.js";
import * as menu from "./menu.js";
import { closePlayer, openPlayer } from "./player.js";
import * as options from "./options.js";
import * as results from "./results.js";
import { FRESH, PAGE, address, asking, asks, changed, empty, question, read } from "./state.js";
import * as status from "./status.js";

const TYPING_MS = 350;

let state = read();
let hits = [];
let running = new AbortController();
let timer = 0;

/** Change the state and show it; `replace` leaves no step for "back". */
function change(changes, { replace = false, quiet = false } = {}) {
  const before = address(state);
  state = changed(state, changes);
  const after = address(state);
  if (after !== before) history[replace ? "replaceState" : "pushState"](null, "", after);
  return show({ another: asks(changes), quiet });
}

/** Show the state: the question only where it is another one. */
async function show({ another, quiet = false }) {
  if (document.activeElement !== $("box") || !quiet) $("box").value = state.q;
  if (another) await ask(quiet);
  showPlayer();
}

/** Ask the server. A word half typed may be no query yet: then (`quiet`) what is shown stays. */
async function ask(quiet) {
  clearTimeout(timer);
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const held = document.activeElement;
  $("results").classList.add("stale");
  try {
    await (asking(state) ? find(signal) : browse(signal));
    blame(null);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!quiet) blame(error);
    if (!$("results").children.length && error.status) await browse(signal).catch(() => {}); // no empty page
  }
  $("results").classList.remove("stale");
  const lost = held !== document.body && document.activeElement === document.body;
  if (lost) $("found").focus({ preventScroll: true }); // what had the focus was replaced
}

/** Say what is wrong with the query, and select the place in the box; null takes it back. */
function blame(error) {
  const said = error && (error.hint ? `${error.message}: ${error.hint}` : error.message);
  $("fault").textContent = said ?? "";
  $("box").toggleAttribute("aria-invalid", Boolean(error));
  if (!error || error.position === null || document.activeElement !== $("box")) return;
  const word = /\s|$/.exec(state.q.slice(error.position));
  $("box").setSelectionRange(error.position, error.position + word.index);
}

async function find(signal) {
  const { q, sort, count: k } = state;
  const common = question(state);
  const narrowing = api.get("facets", common, signal).catch(() => ({ facets: [] }));
  const answer = await api.get("search", { ...common, sort, k: Math.min(k, 192) }, signal);
  hits = answer.hits;
  document.title = q ? `${q} · unify` : "more like this · unify";
  results.showHeading(answer, state, k);
  options.showOptions(answer, state);
  results.showHits(hits, hrefOf, acts);
  results.showReplaced(answer, state, change);
  results.showReading(answer, state, change, term);
  results.showNote(answer, state, change);
  $("more").hidden = hits.length < k || k >= 192;
  $("live").textContent = results.spoken(answer, state, k);
  await showOrigin(signal);
  const facets = await narrowing;
  signal.throwIfAborted(); // another question has come: its answer must stay
  results.showFacets(facets, state, change);
}

/** With no question: the library itself, and what it is about. */
async function browse(signal) {
  hits = [];
  const [list, topics] = await Promise.all([
    api.get("videos", { limit: Math.min(state.count, 192) }, signal),
    api.get("terms", { top: 120 }, signal),
  ]);
  document.title = "unify";
  $("found").textContent = list.total ? `${count(list.total, "video")}, newest first` : "No videos yet";
  $("note").className = "note plain";
  for (const name of ["choices", "replaced", "read", "note", "origin"]) $(name).hidden = true;
  results.showVideos(list.videos, (video) => address({ ...state, video: video.video_id, at: 0 }), acts);
  results.showTopics(topics, change);
  $("more").hidden = list.videos.length >= list.total || state.count >= 192;
  if (!list.total) {
    $("note").replaceChildren("Index a folder, and its videos come here: ", el("code", {}, "unify index build FOLDER"));
    $("note").hidden = false;
  }
}

/** Show which moment the results are like. */
async function showOrigin(signal) {
  const box = $("origin");
  box.hidden = true;
  if (!state.like) return;
  const [video, at] = state.like.split("@").map(Number);
  const facts = await api.get(`videos/${video}`, {}, signal);
  box.replaceChildren(
    el("img", { src: api.thumbnail(video, at, 320), alt: "", width: 96, height: 54 }),
    el("p", {}, `More like ${facts.name}`, el("small", {}, `at ${clock(at)}${state.q ? `, with “${state.q}”` : ""}`)),
    el("button", { class: "tool", type: "button", "aria-label": "Without it", onclick: () => change({ like: "" }) }, icon("close")),
  );
  box.hidden = false;
}

/** Open, switch or close the player as the state says. */
async function showPlayer() {
  const open = state.video !== null;
  const key = open ? `${state.video}@${(state.at ?? 0).toFixed(2)}` : "";
  $("desk").classList.toggle("playing", open);
  document.body.classList.toggle("playing-now", open);
  results.mark(key);
  if ($("player").dataset.key === key) return;
  $("player").dataset.key = key;
  closePlayer();
  if (!open) return;
  try {
    const facts = await api.get(`videos/${state.video}`);
    if ($("player").dataset.key !== key) return;
    const hit = hits.find((one) => keyOf(one) === key) ?? { video_id: state.video, start_s: state.at ?? 0 };
    openPlayer(hit, facts, { ...acts, close: close, others: () => hits.filter((one) => one.video_id === state.video) });
  } catch (error) {
    $("fault").textContent = error.message;
    close();
  }
}

const keyOf = (hit) => `${hit.video_id}@${hit.start_s.toFixed(2)}`;

const hrefOf = (hit) => address({ ...state, video: hit.video_id, at: hit.start_s });

/** Close the player and go back to the card it was opened from. */
function close() {
  if (state.video === null) return false;
  const card = document.querySelector(".card.on a");
  change({ video: null, at: null });
  (card ?? $("results")).focus();
  return true;
}

const acts = {
  play: (hit) => change({ video: hit.video_id, at: hit.start_s }),
  open: (video) => change({ video: video.video_id, at: 0 }),
  like: (hit) => change({ q: "", ...FRESH, video: null, at: null, like: `${hit.video_id}@${(hit.like_s ?? hit.peak_s ?? hit.start_s).toFixed(2)}` }).then(() => $("found").focus()),
  term: (button, word) => term(button, word),
  twins: (twins) => change({ twins }),
  close,
  help: () => $("sheet").showModal(),
};

const term = (button, word) => menu.openMenu(button, word, state, change);

function setUpForm() {
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const q = $("box").value.trim();
    change({ q, ...FRESH, ...(state.video !== null ? { video: null, at: null } : {}) });
  });
  $("box").addEventListener("input", () => {
    clearTimeout(timer);
    const q = $("box").value.trim();
    timer = setTimeout(() => q !== state.q && change({ q, ...FRESH }, { replace: asking(state), quiet: true }), TYPING_MS);
  });
  $("more").addEventListener("click", () => change({ count: state.count + PAGE }, { replace: true }));
  document.querySelector(".brand").addEventListener("click", (event) => {
    event.preventDefault();
    change(empty());
    $("box").focus();
  });
}

addEventListener("popstate", () => {
  const before = state;
  state = read();
  show({ another: address({ ...before, video: null, at: null }) !== address({ ...state, video: null, at: null }) });
});

setUpForm();
options.setUp(change);
menu.setUp();
keys.setUp(acts);
$("help").addEventListener("click", acts.help);
show({ another: true });
status.watch(() => asking(state) || show({ another: true }));
if (!asking(state)) $("box").focus({ preventScroll: true });
