// The grid of results, what narrows it, and what to say when there is nothing good.

import * as api from "./api.js";
import { $, clock, count, el, icon, nameOf, span } from "./dom.js";
import * as query from "./query.js";

const REASONS = 3;

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
  const label = `${hit.rank}. ${name}, ${when}, score ${hit.score.toFixed(1)}${hit.weak ? ", weak" : ""}`;
  const link = el(
    "a",
    { href, "aria-label": label, title: hit.video, onclick: (event) => plain(event) && acts.play(hit) },
    el("span", { class: "shot" }, picture(hit.video_id, hit.peak_s), el("time", {}, when)),
  );
  link.hit = hit;
  const score = el("span", { class: "score", title: "score" }, hit.score.toFixed(1));
  return el(
    "li",
    { class: `card${hit.weak ? " weak" : ""}`, "data-key": `${hit.video_id}@${hit.start_s.toFixed(2)}` },
    link,
    el("button", { class: "tool like", type: "button", title: "More like this", "aria-label": `More like ${name}, ${when}`, onclick: () => acts.like(hit) }, icon("like")),
    el("div", { class: "line" }, el("span", { class: "name", title: hit.video }, name), twins(hit, acts), hit.weak ? el("span", { class: "tag" }, "weak") : null, score),
    reasons(hit, acts.term),
  );
}

/** How many near-duplicates a hit stands for; a click shows them. */
const twins = (hit, acts) => !hit.duplicates ? null
  : el("button", { class: "twins", type: "button", title: "Show near-duplicates", "aria-label": `show ${count(hit.duplicates, "near-duplicate")}`, onclick: () => acts.twins(true) }, `+${hit.duplicates} alike`);

/** Whether a click is to be handled here: with a modifier it opens a tab of its own. */
function plain(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return false;
  event.preventDefault();
  return true;
}

function picture(video, seconds) {
  return el("img", { src: api.thumbnail(video, seconds), alt: "", loading: "lazy", decoding: "async", width: 320, height: 180 });
}

/** The largest parts of a score: words, then what the picture as a whole gives. */
function reasons(hit, onTerm) {
  const words = hit.terms.filter((match) => match.part > 0).slice(0, REASONS);
  const items = words.map((match) =>
    el("li", {}, el("button", { type: "button", "aria-label": `${match.term}, ${match.part.toFixed(1)} of the score`, onclick: (event) => onTerm(event.currentTarget, match.term) },
      match.source === "subtitles" ? `“${match.term}”` : match.term), ` ${match.part.toFixed(1)}`),
  );
  if (hit.parts.latent) items.push(el("li", { title: "The picture as a whole" }, `scene ${hit.parts.latent.toFixed(1)}`));
  return el("ul", { class: "why", "aria-label": "Why" }, items);
}

/** Show hits; `hrefOf(hit)` is the address at which one plays. */
export function showHits(hits, hrefOf, acts) {
  $("results").replaceChildren(...hits.map((hit) => card(hit, hrefOf(hit), acts)));
}

/** Show the library itself, where nothing is asked. */
export function showVideos(videos, hrefOf, acts) {
  const cards = videos.map((video) => {
    const label = `${video.name}, ${clock(video.duration_s)}`;
    return el(
      "li",
      { class: "card", "data-key": `${video.video_id}@0.00` },
      el("a", { href: hrefOf(video), "aria-label": label, title: video.video, onclick: (event) => plain(event) && acts.open(video) },
        el("span", { class: "shot" }, picture(video.video_id, video.duration_s / 2), el("time", {}, clock(video.duration_s)))),
      el("div", { class: "line" }, el("span", { class: "name", title: video.video }, video.name)),
    );
  });
  $("results").replaceChildren(...cards);
}

/** Mark the card that plays. */
export function mark(key) {
  for (const one of $("results").children) one.classList.toggle("on", one.dataset.key === key);
}

/** Show facets as chips: the word adds it, the minus excludes it. */
export function showFacets(found, state, change) {
  const words = found.facets.filter((facet) => query.standing(state.q, facet.term) === null).slice(0, 14);
  const stands = required(state.q);
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

/** The words that must, or must not, show. */
function required(text) {
  return (text.match(/(?<![^\s])[+-][^\s()":]+/g) || []).map((word) => [word[0], query.parts(word).bare]);
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

/** Show how results are chosen and ordered; subtitles only where the library has any. */
export function showChoices(answer, state) {
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));
  for (const button of $("pool").children) press(button, button.dataset.pool === state.pool);
  press($("in-time"), state.sort === "time");
  press($("subtitles"), state.subtitles);
  press($("twins"), state.twins);
  $("twins").hidden = !state.twins && !answer.hits.some((hit) => hit.duplicates);
  for (const name of ["pool", "in-time"]) $(name).hidden = !answer.hits.length;
  $("subtitles").hidden = !answer.subtitled;
  $("choices").hidden = false;
}

/** Show which words were read as others, and let them be read as they are written. */
export function showReplaced(answer, state, change) {
  const act = (text, changes) => el("button", { class: "quiet", type: "button", onclick: () => change(changes) }, text);
  const lines = answer.query.replaced.map(({ word, spelled, terms }) => {
    if (spelled) return el("p", {}, el("span", {}, `“${word}” was read as `, el("strong", {}, spelled), "."), act(`Search for “${word}” instead`, { respell: false }));
    const leave = (term) => el("button", { class: "chip", type: "button", "aria-label": `leave out ${term}`, title: "Leave out", onclick: () => change({ drop: [...state.drop, term] }) }, term, el("small", { "aria-hidden": "true" }, "×"));
    return terms.length
      ? el("p", {}, el("span", {}, `“${word}” is not in the lexicon. A guess:`), ...terms.map(leave))
      : el("p", {}, `“${word}” is not in the lexicon: only pictures as a whole are compared with it.`);
  });
  if (!state.respell) lines.push(el("p", {}, el("span", {}, "Spelling is left as it is."), act("Put it right", { respell: true })));
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
  box.querySelector("summary").textContent = state.like && !state.q
    ? `Looks for what that moment shows: ${terms.slice(0, 4).map((term) => term.term).join(", ")} …`
    : `Looks for ${own.join(", ") || "the scene"}${others.length ? `, and ${count(others.length, "related word")}` : ""}${dropped.length ? `, ${dropped.length} left out` : ""}`;
  const off = (word) => change({ drop: [...state.drop, word] });
  const chips = terms.map((term) => state.like || term.own
    ? el("button", { class: `chip${term.own ? " own" : ""}`, type: "button", onclick: (event) => onTerm(event.currentTarget, term.term) }, term.term, el("small", {}, term.weight.toFixed(1)))
    : el("button", { class: "chip", type: "button", "aria-pressed": "true", title: "Leave out", onclick: () => off(term.term) }, term.term, el("small", {}, term.weight.toFixed(1))));
  const back = dropped.map((word) =>
    el("button", { class: "chip off", type: "button", "aria-pressed": "false", title: "Take it in again", onclick: () => change({ drop: state.drop.filter((one) => one !== word) }) }, word));
  box.querySelector(".terms").replaceChildren(...chips, ...back);
}

/** Say how many results there are; where nothing matches, or filters alone were given, no more. */
export function heading({ hits, ...answer }) {
  if (answer.weak || strange(answer)) return `${hits.length} nearest`;
  return answer.query.terms.length ? count(hits.length, "best match", "best matches") : count(hits.length, "result");
}

/** Say honestly when nothing is good. */
export function showNote(answer, state, change) {
  const note = $("note");
  const missing = answer.missing.map((word) => `“${word}”`).join(", ");
  const shown = missing ? `Nothing here shows ${missing}.` : "";
  note.hidden = true;
  note.className = "note";
  if (!answer.hits.length) {
    const hard = answer.query.conditions.map((one) => `${one.negated ? "without" : "with"} ${one.words.join(" or ")}`);
    const why = !answer.allowed && hard.length ? `No moment ${hard.join(", ")}${answer.query.filtered ? " passes the filters" : ""}.`
      : !answer.allowed ? "No video passes the filters." : shown;
    const words = required(state.q);
    const away = (text, q) => el("button", { class: "quiet", type: "button", onclick: () => change({ q }) }, text);
    note.replaceChildren(el("span", {}, why),
      ...words.map(([sign, term]) => away(sign === "+" ? `Do not insist on “${term}”` : `Allow “${term}”`, query.plainly(state.q, term))),
      ...query.filters(state.q).map((filter) => away(`Without ${filter}`, query.without(state.q, query.parts(filter).bare))));
    note.hidden = !note.textContent;
  } else if (answer.weak || strange(answer)) {
    note.replaceChildren(el("strong", {}, "No good match."), el("span", {}, `${shown} These are the nearest.`.trim()));
    note.hidden = false;
  } else if (missing) {
    note.replaceChildren(el("span", {}, shown));
    note.classList.add("slight");
    note.hidden = false;
  }
}

/** Whether nothing here shows any word of the query. */
function strange(answer) {
  const own = answer.query.terms.filter((term) => term.own);
  return own.length > 0 && own.every((term) => !term.moments);
}

/** One line for those who do not see the grid. */
export function spoken(answer) {
  const missing = answer.missing.length ? ` Nothing shows ${answer.missing.join(", ")}.` : "";
  if (!answer.hits.length) return `Nothing found.${missing}`;
  return `${answer.weak || strange(answer) ? "No good match. " : ""}${count(answer.hits.length, "result")}.${missing}`;
}
