// The page: what is asked goes to the server, what it answers is shown, the address keeps both.

import * as api from "./api.js";
import { $, count, el } from "./dom.js";
import * as keys from "./keys.js";
import * as menu from "./menu.js";
import { closePlayer, openPlayer, pause } from "./player.js";
import * as exporting from "./export.js";
import * as options from "./options.js";
import { showGone, showOrigin } from "./origin.js";
import * as picture from "./picture.js";
import { Feed, first } from "./feed.js";
import { showPlan } from "./plan.js";
import { showNames } from "./names.js";
import * as results from "./results.js";
import { nearest, showNote } from "./silence.js";
import { FRESH, address, asking, asks, changed, empty, example, further, question, read } from "./state.js";
import * as status from "./status.js";

const TYPING_MS = 350;
const ANY = $("box").placeholder;
const BESIDE = "Add words, such as “at night”";

let state = read();
let hits = [];
let feed = null;
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
  $("box").placeholder = example(state) ? BESIDE : ANY;
  if (another) await ask(quiet);
  exporting.showPicks(state, hits);
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
  if (!$("results").children.length && asking(state)) $("found").textContent = "Searching …";
  try {
    await (asking(state) ? find(signal) : browse(signal));
    blame(null);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!quiet) blame(error);
    $("more").hidden = true; // what is shown is of another question
    if (!$("results").children.length) {
      $("found").textContent = "No answer";
      if (error.status) await browse(signal).catch(() => {}); // no empty page
    }
    if (state.picture && error.status === 404) showGone(change);
  }
  $("results").classList.remove("stale");
  const lost = held !== document.body && document.activeElement === document.body;
  if (lost) $("found").focus({ preventScroll: true }); // what had the focus was replaced
  await fill();
}

/** Say what is wrong with the query, and select the place in the box; null takes it back. */
function blame(error) {
  $("fault").textContent = error ? api.told(error) : "";
  $("box").toggleAttribute("aria-invalid", Boolean(error));
  if (!error || error.position === null || document.activeElement !== $("box")) return;
  const word = /\s|$/.exec(state.q.slice(error.position));
  $("box").setSelectionRange(error.position, error.position + word.index);
}

async function find(signal) {
  const { q, sort } = state;
  const k = first(state.count);
  const common = question(state);
  const get = (path, params) => picture.asking(state.picture, () => api.get(path, params, signal));
  const narrowing = get("facets", common).catch(() => ({ facets: [] }));
  const answer = await get("search", { ...common, sort, k });
  hits = answer.hits;
  feed = new Feed(hits.length, hits.length < k, async (offset, k) => (await get("search", { ...common, sort, offset, k })).hits, (page) => {
    const known = new Set(hits.map(keyOf)); // a build may have moved some
    const fresh = page.filter((hit) => !known.has(keyOf(hit)));
    hits = [...hits, ...fresh];
    results.addHits(fresh, hrefOf, acts, sort === "time");
    exporting.showPicks(state, hits);
    showAmount({ ...answer, hits });
  });
  document.title = q ? `${q} · unify` : "more like this · unify";
  options.showOptions(answer, state);
  results.showHits(hits.length ? hits : nearest(answer), hrefOf, acts);
  exporting.showPicks(state, hits, answer.generation);
  results.showReplaced(answer, state, change);
  showNames(answer, state, change);
  results.showReading(answer, state, change, term);
  showPlan(answer, state, change);
  showNote(answer, state, change);
  showAmount(answer);
  await showOrigin(state, change, signal);
  const facets = await narrowing;
  signal.throwIfAborted(); // another question has come: its answer must stay
  results.showFacets(facets, state, change);
}

/** Say how many there are, and offer more. */
function showAmount(answer) {
  const most = feed.ended ? 0 : hits.length; // with all of them there, it is not the best alone
  results.showHeading(answer, state, most);
  $("live").textContent = results.spoken(answer, state, most);
  $("more").hidden = feed.ended;
}

/** Fetch what the state wants beside the first page. */
async function fill() {
  try {
    await feed?.upTo(state.count);
  } catch (error) {
    if (error.name !== "AbortError") blame(error);
  }
}

/** Show some more behind: what is there stays, and so does the focus, until there is no more. */
async function more() {
  const before = $("results").children.length;
  change({ count: further(state.count) }, { replace: true });
  await fill();
  const next = $("results").children[before] ?? $("results").lastElementChild;
  if ($("more").hidden) next?.querySelector("a").focus({ preventScroll: true });
}

/** With no question: the library itself, and what it is about. */
async function browse(signal) {
  hits = [];
  const limit = first(state.count);
  const [list, topics] = await Promise.all([
    api.get("videos", { limit }, signal),
    api.get("terms", { top: 120 }, signal),
  ]);
  document.title = "unify";
  $("found").textContent = list.total ? `${count(list.total, "video")}, newest first` : "No videos yet";
  $("note").className = "note plain";
  for (const name of ["choices", "names", "replaced", "read", "plan", "note", "origin"]) $(name).hidden = true;
  const hrefOf = (video) => address({ ...state, video: video.video_id, at: 0 });
  results.showVideos(list.videos, hrefOf, acts);
  feed = new Feed(list.videos.length, list.videos.length >= list.total, async (offset, k) => (await api.get("videos", { offset, limit: k }, signal)).videos, (page) => {
    results.addVideos(page, hrefOf, acts);
    $("more").hidden = feed.ended;
    $("live").textContent = `${count(feed.taken, "video")} shown.`;
  });
  results.showTopics(topics, change);
  $("more").hidden = feed.ended;
  if (!list.total) {
    $("note").replaceChildren("Index a folder, and its videos come here: ", el("code", {}, "unify index build FOLDER"));
    $("note").hidden = false;
  }
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
    const hit = results.hitAt(key) ?? { video_id: state.video, start_s: state.at ?? 0 };
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
  like: (hit) => change({ q: "", ...FRESH, picture: "", video: null, at: null, like: `${hit.video_id}@${(hit.like_s ?? hit.peak_s ?? hit.start_s).toFixed(2)}` }).then(() => $("found").focus()),
  term: (button, word) => term(button, word),
  twins: (twins) => change({ twins }),
  pick,
  close,
  pause,
  cut,
  help: () => $("sheet").showModal(),
};

/** Pick a hit, or no longer. It is said, since what has the focus does not tell. */
function pick(hit) {
  if (!hits.includes(hit)) return;
  change({ picks: exporting.toggled(state.picks, hit) }, { replace: true });
  $("live").textContent = `${state.picks.includes(hit.rank) ? "Picked" : "No longer picked"}: ${state.picks.length} in all.`;
}

/** Ask how to cut what plays; false where nothing does. */
function cut() {
  const button = document.querySelector("#player .cut");
  button?.click();
  return Boolean(button);
}

/** Look for what is like a picture that was sent; in place of another one, with the same words. */
const seek = (picture) => change({ ...(state.picture ? {} : { q: "", ...FRESH }), like: "", picture, video: null, at: null }).then(() => $("found").focus());

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
  $("more").addEventListener("click", more);
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
exporting.setUp(acts.pick, change);
picture.setUp(seek);
menu.setUp();
keys.setUp(acts);
$("help").addEventListener("click", acts.help);
show({ another: true });
status.watch(() => asking(state) || show({ another: true }));
if (!asking(state)) $("box").focus({ preventScroll: true });
