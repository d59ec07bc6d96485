// Hits for an editing program: which are picked, and the menu that saves them as a timeline.

import { $, count, el, icon, nameOf, span } from "./dom.js";
import * as menu from "./menu.js";
import { save } from "./save.js";
import { question } from "./state.js";

const MOST = 999; // events of an EDL

let pick = () => {};
let shown = { state: null, hits: [], generation: null };

/** @param toggle called with a hit that is to be picked, or no longer */
export function setUp(toggle, change) {
  pick = toggle;
  $("export").addEventListener("click", () => open(change));
}

/** The ranks that are picked once a hit is toggled, ascending. */
export const toggled = (picks, { rank }) =>
  picks.includes(rank) ? picks.filter((one) => one !== rank) : [...picks, rank].sort((a, b) => a - b);

/** Let every hit that is shown be picked, and mark those that are. */
export function showPicks(state, hits, generation = shown.generation) {
  shown = { state, hits, generation };
  const known = new Set(hits);
  for (const card of $("results").children) {
    const { hit } = card.querySelector("a");
    if (!known.has(hit)) continue;
    const button = card.querySelector(".pick") ?? offer(card, hit);
    button.setAttribute("aria-pressed", String(state.picks.includes(hit.rank)));
  }
  const picked = state.picks.length;
  $("results").classList.toggle("picking", picked > 0);
  $("export").disabled = !hits.length;
  $("export").replaceChildren("Export", ...(picked ? [el("span", { class: "badge", "aria-label": `, ${picked} picked` }, picked)] : []));
}

function offer(card, hit) {
  const label = `Pick ${nameOf(hit.video)}, ${span(hit.start_s, hit.end_s)}`;
  const button = el("button", { class: "tool pick", type: "button", title: "Pick (X)", "aria-label": label, onclick: () => pick(hit) }, icon("check"));
  card.querySelector("a").after(button);
  return button;
}

function open(change) {
  const { state, hits } = shown;
  const picked = state.picks.length;
  const every = hits.length > MOST ? `The best ${MOST} of ${hits.length} shown` : `All ${count(hits.length, "hit")} shown`;
  menu.open($("export"), "Export", [
    el("p", {}, el("strong", {}, picked ? `${picked} picked` : every), picked ? "" : "; pick some with ✓ or X"),
    menu.item("Final Cut Pro XML", ".fcpxml", () => saved("fcpxml")),
    menu.item("EDL, CMX 3600", ".edl", () => saved("edl")),
    ...(picked ? [menu.item("Unpick all", "", () => change({ picks: [] }, { replace: true }))] : []),
  ]);
}

/** Ask for just the stretch of the answer that holds what is wanted. */
function saved(format) {
  const { state, hits, generation } = shown;
  const ranks = state.picks.length ? state.picks : hits.map((hit) => hit.rank).sort((a, b) => a - b).slice(0, MOST);
  const [first, last] = [ranks.at(0), ranks.at(-1)];
  const wanted = state.picks.length ? ranks.join(",") : "all";
  save(`the timeline of ${count(ranks.length, "hit")}`, "export",
    { ...question(state), sort: state.sort, offset: first - 1, k: last - first + 1, ranks: wanted, format, generation }, remarks);
}

/** What an EDL cannot keep. */
function remarks(headers) {
  const { events, rate, rounded } = JSON.parse(headers.get("unify-timeline"));
  return rounded ? `${rounded} of ${events} have another frame rate than ${rate}, so their times are rounded; Final Cut Pro XML keeps each` : "";
}
