// What to say when nothing is found, or nothing good; and what would be found with less asked.

import { $, act, count, decimal, el } from "./dom.js";
import * as query from "./query.js";

/** Whether nothing here shows any word of the query. */
export function strange(answer) {
  const own = answer.query.terms.filter((term) => term.own);
  return own.length > 0 && own.every((term) => !term.moments);
}

/** Name the words that no moment shows; nothing where all are shown. */
function absent({ faint }) {
  const words = faint.map(({ word, best, shows }) => `“${word}” (best ${decimal(best, 2)} of ${decimal(shows, 2)})`).join(", ");
  return words && `No moment clearly shows ${words}: absent, or not recognised.`;
}

/** Say why there is no hit. */
function why(answer, state) {
  const { unmet, best_score: best } = answer.silence;
  const each = unmet.map((one) => `${one.condition} (${count(one.moments, "moment")})`);
  if (each.length > 1) return `No moment meets at once ${each.join(", ")}.`;
  if (each.length) return `No moment meets ${unmet[0].condition}.`;
  if (state.threshold === null) return absent(answer);
  return `Nothing scores ${state.threshold} or more${best === null ? "" : `; the best has ${decimal(best)}`}.`;
}

/** The ways out: each asks for less. */
function waysOut({ silence, allowed }, state, change) {
  const { unmet, nearest } = silence;
  const ways = nearest.length ? nearest : unmet.map((one) => ({ lacks: [one.condition], moments: 0 }));
  const buttons = ways.map(({ lacks, moments }) => {
    const left = unmet.filter((one) => lacks.includes(one.condition));
    const q = query.loosened(state.q, left);
    const many = moments ? `: ${count(moments, "moment")}` : "";
    return q === state.q ? null : act(`Without ${lacks.join(" and ")}${many}`, () => change({ q }));
  });
  const any = allowed && state.threshold !== null;
  return [...buttons, any ? act("Any score", () => change({ threshold: null })) : null].filter(Boolean);
}

/** The best there is without some of the conditions, each with those that it lacks. */
export const nearest = ({ silence }) => silence.nearest.filter(({ best }) => best).map(({ best, lacks }) => ({ ...best, lacks }));

/** Say honestly when nothing is good. */
export function showNote(answer, state, change) {
  const note = $("note");
  const none = absent(answer);
  note.hidden = false;
  note.className = "note";
  if (answer.silence) {
    note.replaceChildren(el("span", {}, why(answer, state)), ...waysOut(answer, state, change));
    note.hidden = !note.textContent;
  } else if (answer.weak || strange(answer)) {
    note.replaceChildren(el("strong", {}, "No good match."), el("span", {}, `${none} These are the nearest.`.trim()));
  } else {
    note.replaceChildren(el("span", {}, none));
    note.classList.add("slight");
    note.hidden = !none;
  }
}

/** The same in one line, for those who do not see it. */
export function spokenNote(answer, state) {
  return answer.silence ? why(answer, state) : absent(answer);
}
