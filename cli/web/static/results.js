// The grid of results, what narrows it, and what to say when there is nothing good.

import * as api from "./api.js";
import { $, act, clock, count, decimal, el, icon, nameOf, span } from "./dom.js";
import * as query from "./query.js";
import { example } from "./state.js";
import { spokenNote, strange } from "./silence.js";

const REASONS = 3;
const LONG = 20; // letters of a name that fit
const TAIL = 10;

/**
 * Make the card of a hit.
 *
 * @param hit as the server gave it
 * @param href the address at which it plays
 * @param acts `play(hit, link)`, `like(hit)`, `term(button, word)`, `twins(shown)`
 */
function card(hit, href, acts) {
  const name = nameOf(hit.video);
  const when = span(hit.start_s, hit.end_s);
  const tag = hit.lacks ? `without ${hit.lacks.join(" and ")}` : hit.weak ? "weak" : "";
  const label = `${hit.lacks ? "" : `${hit.rank}. `}${name}, ${when}, score ${hit.score.toFixed(1)}${tag ? `, ${tag}` : ""}`;
  const link = el(
    "a",
    { href, "aria-label": label, title: hit.video, onclick: (event) => plain(event) && acts.play(hit) },
    el("span", { class: "shot" }, picture(hit.video_id, hit.peak_s), el("time", {}, when)),
  );
  link.hit = hit;
  const scored = hit.terms.length > 0 || hit.parts.latent !== 0;
  const score = scored ? el("span", { class: "score", title: "score" }, decimal(hit.score)) : null;
  return el(
    "li",
    { class: `card${hit.weak ? " weak" : ""}`, "data-key": `${hit.video_id}@${hit.start_s.toFixed(2)}` },
    link,
    el("button", { class: "tool like", type: "button", title: "More like this", "aria-label": `More like ${name}, ${when}`, onclick: () => acts.like(hit) }, icon("like")),
    el("div", { class: "line" }, el("span", { class: "name", title: hit.video }, named(name)), twins(hit, acts), tag ? el("span", { class: "tag" }, tag) : null, score),
    reasons(hit, acts.term),
  );
}

/** A file name: of a long one the middle gives way, since the end often tells it from others. */
const named = (name) => (name.length > LONG ? [el("span", {}, name.slice(0, -TAIL)), el("span", {}, name.slice(-TAIL))] : [name]);

/** How many near-duplicates a hit stands for; a click shows them. */
const twins = (hit, acts) => !hit.duplicates ? null
  : el("button", { class: "twins", type: "button", title: "Show near-duplicates", "aria-label": `show ${count(hit.duplicates, "near-duplicate")}`, onclick: () => acts.twins(true) }, `+${hit.duplicates} alike`);

/** Whether a click is to be handled here: with a modifier it opens a tab of its own. */
function plain(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return false;
  event.preventDefault();
  return true;
}

/** What shows at a time: an upright picture whole, and no broken one where its file is gone. */
function picture(video, seconds) {
  const fit = ({ target }) => target.classList.toggle("tall", target.naturalHeight > target.naturalWidth);
  const none = ({ target }) => target.replaceWith(el("span", { class: "none" }, "no picture"));
  return el("img", { src: api.thumbnail(video, seconds), alt: "", loading: "lazy", decoding: "async", width: 320, height: 180, onload: fit, onerror: none });
}

/** What a score is the sum of: its largest words, the rest of them, the picture as a whole, base. */
function reasons(hit, onTerm) {
  const words = hit.terms.filter((match) => match.part >= 0.05).slice(0, REASONS);
  const rest = hit.parts.lexicon - words.reduce((total, match) => total + match.part, 0);
  const { latent, base, pool } = hit.parts;
  const others = hit.terms.length - words.length;
  const whole = [
    [others ? `${others} more` : "", rest, "The other words"],
    ["scene", latent, "The picture as a whole"],
    ["base", base, "What every moment gets for this query"],
    ["pool", pool, "The mean of its moments, instead of the best"],
  ].filter(([, part]) => Math.abs(part) > 1e-6);
  const shown = tenths([...words.map((match) => match.part), ...whole.map(([, part]) => part)], hit.score);
  const number = (i) => ` ${decimal(shown[i] / 10)}`;
  const items = words.map((match, i) =>
    el("li", {}, el("button", { type: "button", "aria-label": `${match.term}, ${(shown[i] / 10).toFixed(1)} of the score`, onclick: (event) => onTerm(event.currentTarget, match.term) },
      match.source === "subtitles" ? `“${match.term}”` : match.term), number(i)));
  items.push(...whole.map(([name, , title], i) => el("li", { title }, name, number(words.length + i))));
  return el("ul", { class: "why", "aria-label": "Why" }, items);
}

/** Round parts to tenths so that they add up to their rounded sum: the least wronged give way. */
function tenths(parts, sum) {
  const rounded = parts.map((part) => Math.round(10 * part));
  const step = Math.sign(Math.round(10 * sum) - rounded.reduce((total, part) => total + part, 0));
  const wronged = parts.map((part, i) => [step * (10 * part - rounded[i]), i]).sort(([a], [b]) => b - a);
  for (const [, i] of wronged) {
    if (rounded.reduce((total, part) => total + part, 0) === Math.round(10 * sum)) break;
    rounded[i] += step;
  }
  return rounded;
}

/** Show hits; `hrefOf(hit)` is the address at which one plays. */
export function showHits(hits, hrefOf, acts) {
  $("results").replaceChildren(...hits.map((hit) => card(hit, hrefOf(hit), acts)));
}

/** Put further hits behind; in the order of time, among them. */
export function addHits(hits, hrefOf, acts, inTime) {
  $("results").append(...hits.map((hit) => card(hit, hrefOf(hit), acts)));
  if (inTime) $("results").append(...[...$("results").children].sort(byTime));
}

function byTime(one, other) {
  const [a, b] = [one, other].map((node) => node.querySelector("a").hit);
  if (a.video !== b.video) return a.video < b.video ? -1 : 1;
  return a.start_s - b.start_s;
}

/** Show the library itself, where nothing is asked. */
export function showVideos(videos, hrefOf, acts) {
  $("results").replaceChildren();
  addVideos(videos, hrefOf, acts);
}

/** Put further videos behind. */
export function addVideos(videos, hrefOf, acts) {
  const cards = videos.map((video) => {
    const label = `${video.name}, ${clock(video.duration_s)}`;
    return el(
      "li",
      { class: "card", "data-key": `${video.video_id}@0.00` },
      el("a", { href: hrefOf(video), "aria-label": label, title: video.video, onclick: (event) => plain(event) && acts.open(video) },
        el("span", { class: "shot" }, picture(video.video_id, video.duration_s / 2), el("time", {}, clock(video.duration_s)))),
      el("div", { class: "line" }, el("span", { class: "name", title: video.video }, named(video.name))),
    );
  });
  $("results").append(...cards);
}

/** The hit that a card shows, or undefined. */
export const hitAt = (key) => [...$("results").children].find((one) => one.dataset.key === key)?.querySelector("a").hit;

/** Mark the card that plays. */
export function mark(key) {
  for (const one of $("results").children) one.classList.toggle("on", one.dataset.key === key);
}

/** Show facets as chips: the word adds it, the minus excludes it. */
export function showFacets(found, state, change) {
  const words = found.facets.filter((facet) => query.standing(state.q, facet.term) === null).slice(0, 14);
  const stands = query.demanded(state.q);
  const chips = [
    ...stands.map(([sign, term]) =>
      el("button", { class: "chip", type: "button", "aria-pressed": "true", "aria-label": `${sign === "+" ? "must show" : "must not show"} ${term}: remove`,
        onclick: () => change({ q: query.without(state.q, term) }) }, `${sign === "+" ? "+" : "−"}${term}`, el("small", { "aria-hidden": "true" }, "×"))),
    ...words.map((facet) =>
      el("span", { class: "pair" },
        el("button", { class: "chip", type: "button", "aria-label": `${facet.term}, ${count(facet.count, "moment")}: must show`, onclick: () => change({ q: query.required(state.q, facet.term) }) },
          facet.term, el("small", {}, facet.count)),
        el("button", { class: "chip", type: "button", "aria-label": `exclude ${facet.term}`, title: `Exclude ${facet.term}`, onclick: () => change({ q: query.excluded(state.q, facet.term) }) }, "−"))),
  ];
  $("facets").replaceChildren(...chips);
  $("facets").hidden = !chips.length;
}

/** Show what a library is about, where nothing is asked: words that tell, not those in all of it. */
export function showTopics(found, change) {
  const telling = found.terms.filter((term) => term.moments * 4 < found.moments);
  const words = (telling.length > 5 ? telling : found.terms).slice(0, 16);
  $("facets").replaceChildren(...words.map((term) =>
    el("button", { class: "chip", type: "button", onclick: () => change({ q: term.term }), "aria-label": `${term.term}, ${count(term.moments, "moment")}` },
      term.term, el("small", {}, term.moments))));
  $("facets").hidden = !words.length;
}

/** Show which words were read as others, and let them be read as they are written. */
export function showReplaced(answer, state, change) {
  const lines = answer.query.replaced.map(({ word, spelled, terms }) => {
    if (spelled) return el("p", { "data-word": word }, el("span", {}, `“${word}” was read as `, el("strong", {}, spelled), "."), act(`Search for “${word}” instead`, () => change({ respell: false })));
    const leave = (term) => el("button", { class: "chip", type: "button", "aria-label": `leave out ${term}`, title: "Leave out", onclick: () => change({ drop: [...state.drop, term] }) }, term, el("small", { "aria-hidden": "true" }, "×"));
    return terms.length
      ? el("p", { "data-word": word }, el("span", {}, `“${word}” is not in the lexicon. A guess:`), ...terms.map(leave))
      : el("p", { "data-word": word }, `“${word}” is not in the lexicon: only pictures as a whole are compared with it.`);
  });
  if (!state.respell) lines.push(el("p", {}, el("span", {}, "Spelling is left as it is."), act("Put it right", () => change({ respell: true }))));
  $("replaced").replaceChildren(...lines);
  $("replaced").hidden = !lines.length;
}

/** Show what a query was expanded to; each word can be left out. */
export function showReading(answer, state, change, onTerm) {
  const box = $("read");
  const { terms, dropped } = answer.query;
  box.hidden = !terms.length && !dropped.length;
  const own = terms.filter((term) => term.own).map((term) => term.term);
  const others = terms.filter((term) => !term.own);
  box.querySelector("summary").textContent = example(state) && !state.q
    ? `Looks for what ${state.like ? "that moment" : "it"} shows: ${terms.slice(0, 4).map((term) => term.term).join(", ")} …`
    : `Looks for ${own.join(", ") || "the scene"}${others.length ? `, and ${count(others.length, "related word")}` : ""}${dropped.length ? `, ${dropped.length} left out` : ""}`;
  const off = (word) => change({ drop: [...state.drop, word] });
  const chips = terms.map((term) => example(state) || term.own
    ? el("button", { class: `chip${term.own ? " own" : ""}`, type: "button", onclick: (event) => onTerm(event.currentTarget, term.term) }, term.term, el("small", {}, term.weight.toFixed(1)))
    : el("button", { class: "chip", type: "button", "aria-pressed": "true", title: "Leave out", onclick: () => off(term.term) }, term.term, el("small", {}, term.weight.toFixed(1))));
  const back = dropped.map((word) =>
    el("button", { class: "chip off", type: "button", "aria-pressed": "false", title: "Take it in again", onclick: () => change({ drop: state.drop.filter((one) => one !== word) }) }, word));
  box.querySelector(".terms").replaceChildren(...chips, ...back);
}

/** Say how many results there are; `most` is how many there can be on this page. */
export function showHeading(answer, state, most) {
  const [large, ...beside] = amount(answer, state, most);
  const small = beside.map((text) => el("small", {}, text));
  if (answer.hits.length) small.push(el("small", { class: "took" }, `${Math.max(1, Math.round(answer.times_ms.total))} ms`));
  $("found").replaceChildren(large, ...small.flatMap((one) => [" ", one])); // read aloud, words apart
}

/** Matches are what is not weak; what filters alone, or a moment, have found is not judged. */
function amount({ hits, ...answer }, state, most) {
  if (!hits.length) return ["Nothing found"];
  if (example(state)) return [`${hits.length} most alike`];
  if (answer.weak || strange(answer)) return [`${hits.length} nearest`];
  if (!answer.query.terms.length) return [count(hits.length, "result")];
  const weak = hits.filter((hit) => hit.weak).length;
  if (!weak && hits.length === most) return [`${most} best matches`];
  return [count(hits.length - weak, "match", "matches"), ...(weak ? [`and ${weak} weak`] : [])];
}

/** One line for those who do not see the grid. */
export function spoken(answer, state, most) {
  const none = answer.hits.length && (answer.weak || strange(answer)) ? "No good match. " : "";
  return `${none}${amount(answer, state, most).join(" ")}. ${spokenNote(answer, state)}`.trim();
}
