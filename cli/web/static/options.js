// How results are chosen and ordered: the row above them, and the drawer beside it.

import { $, el } from "./dom.js";
import { DEFAULTS, example } from "./state.js";

const CHECKS = ["expand", "subtitles", "twins", "exact"];
const field = (name) => $("options").querySelector(`[name=${name}]`);

/** Set what the row and the drawer show: no subtitles where the library has none. */
export function showOptions(answer, state) {
  for (const button of $("moments").children) button.setAttribute("aria-pressed", String(button.dataset.moments === state.moments));
  for (const name of ["sort", "pool"]) field(name).value = state[name];
  for (const name of CHECKS) field(name).checked = state[name];
  field("threshold").value = state.threshold ?? "";
  field("pool").disabled = state.moments !== "best";
  field("expand").disabled = Boolean(example(state));
  field("twins").disabled = state.moments === "all";
  if (state.moments === "all") field("twins").checked = true;
  field("subtitles").closest("label").hidden = !answer.subtitled;
  field("exact").closest("label").hidden = answer.exact && !state.exact; // it is so by itself
  const changes = changed(state).length;
  $("tune").replaceChildren("Options", ...(changes ? [el("span", { class: "badge", "aria-label": `, ${changes} changed` }, changes)] : []));
  $("reset").disabled = !changes;
  $("choices").hidden = false;
}

const NAMES = ["sort", "pool", "threshold", ...CHECKS];

/** The options that are not what they are by default. */
const changed = (state) => NAMES.filter((name) => state[name] !== DEFAULTS[name]);

/** @param change called with the changes of the state */
export function setUp(change) {
  $("moments").addEventListener("click", (event) => {
    const { moments } = event.target.dataset;
    if (moments) change({ moments });
  });
  $("options").addEventListener("change", ({ target }) => change({ [target.name]: valueOf(target) }));
  $("reset").addEventListener("click", () => {
    change(Object.fromEntries(NAMES.map((name) => [name, DEFAULTS[name]])));
    field("sort").focus();
  });
  $("options").addEventListener("beforetoggle", (event) => event.newState === "open" && place());
}

function valueOf(input) {
  if (input.type === "checkbox") return input.checked;
  if (input.type !== "number") return input.value;
  return Number.isFinite(input.valueAsNumber) ? input.valueAsNumber : null;
}

/** Under its button, by its right edge; a narrow window has it at the bottom (see page.css). */
function place() {
  const { right, bottom } = $("tune").getBoundingClientRect();
  $("options").style.setProperty("--right", `${Math.max(8, document.documentElement.clientWidth - right)}px`);
  $("options").style.setProperty("--top", `${bottom + 6}px`);
}
