// How an answer was found, in plain words, with the numbers of its plan.

import { $, act, count, decimal, el } from "./dom.js";

const STAGES = {
  encode: "Query read", plan: "Plan made", latent: "Whole pictures", lexicon: "Words",
  rescore: "Compared exactly", explain: "Reasons given", total: "In all",
};

const many = (n) => n.toLocaleString("en");

/** Show it below the reading of the query; where it is approximate, a click makes it exact. */
export function showPlan(answer, state, change) {
  const box = $("plan");
  box.hidden = false;
  box.querySelector("summary").textContent = `How it was found: ${answer.exact ? "exact" : "approximate"}`;
  box.querySelector(".how").replaceChildren(
    el("p", {}, sentences(answer).join(" ")),
    ...(answer.exact || state.exact ? [] : [act("Miss no moment", () => change({ exact: true }))]),
    table(answer));
}

function sentences({ plan, exact, gap }) {
  const whole = count(plan.moments, "moment");
  const all = plan.allowed === plan.moments;
  const passing = `${many(plan.allowed)} of ${whole} ${plan.allowed === 1 ? "passes" : "pass"} the conditions`;
  if (!plan.allowed) return [`${passing}.`];
  if (!plan.rounds) return [`${all ? `All ${whole} were` : `${passing}; each was`} compared, by ${sides(plan)}.`, verdict(plan, exact, gap)];
  return [`${all ? `Any of ${whole} may be found` : passing}.`, searched(plan), verdict(plan, exact, gap)];
}

function sides(plan) {
  if (plan.latent && plan.lexicon) return "whole pictures and words";
  return plan.latent ? "whole pictures alone" : plan.lexicon ? "words alone" : "nothing: they are in no order";
}

/** How far the sides looked. */
function searched(plan) {
  const rounds = plan.rounds > 1 ? `, in ${plan.rounds} rounds` : "";
  const who = plan.latent && plan.lexicon ? "Both sides," : "One side,";
  return `${who} ${sides(plan)}, looked ${many(plan.depth)} deep${rounds}; ${count(plan.candidates, "moment")} were then compared exactly.`;
}

function verdict(plan, exact, gap) {
  if (exact) return plan.rounds ? "Exact: no other can be better." : "Exact: none was left out.";
  return gap === null ? "Approximate: better ones may be missing." : `Approximate: another could score up to ${decimal(gap, 3)} more.`;
}

/** What each stage looked at and gave, and how long it took. */
function table({ plan, times_ms: times, hits }) {
  const rows = {
    latent: [`${plan.approximate ? "~" : ""}${many(plan.allowed)} moments`, plan.fetched.latent],
    lexicon: [`${many(plan.postings)} entries`, plan.fetched.lexicon],
    rescore: [count(plan.candidates, "moment"), hits.length],
  };
  const lines = Object.entries(times).map(([stage, ms]) => {
    const [from, to] = rows[stage] ?? [];
    return el("tr", {}, el("th", { scope: "row" }, STAGES[stage] ?? stage), el("td", {}, from ?? ""), el("td", {}, to === undefined ? "" : many(to)),
      el("td", {}, stage in plan.estimates_ms ? decimal(plan.estimates_ms[stage], 2) : ""), el("td", {}, decimal(ms, 2)));
  });
  const heads = ["Stage", "looked at", "gave", "expected ms", "took ms"].map((text) => el("th", { scope: "col" }, text));
  return el("table", { "aria-label": "Stages" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, lines));
}
