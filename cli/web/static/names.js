// Names: what the user's dictionary makes of them, and saying what an unknown word looks like.

import * as api from "./api.js";
import { $, act, el } from "./dom.js";
import { question } from "./state.js";

const folded = (text) => text.trim().replace(/\s+/g, " ").toLowerCase();
const nameIn = (line) => folded(line.slice(0, line.indexOf("=")));

/** The definitions of an address with another one of a name; null takes it out. */
function defining(state, name, words) {
  const others = state.define.filter((line) => nameIn(line) !== folded(name));
  return words === null ? others : [...others, `${name}=${words}`];
}

/** Show which names were read as what, and offer to define the words that the lexicon lacks. */
export function showNames(answer, state, change) {
  const lines = [...answer.query.defined.map((one) => defined(one, state, change)), ...asWritten(state, change)];
  $("names").replaceChildren(...lines);
  $("names").hidden = !lines.length;
  for (const line of $("replaced").querySelectorAll("[data-word]")) {
    line.append(act("Say what it looks like", ({ currentTarget }) => openForm(currentTarget, line.dataset.word, "", state, change)));
  }
}

function defined({ name, definition, terms, either }, state, change) {
  const here = state.define.some((line) => nameIn(line) === folded(name));
  const words = el("strong", {}, terms.join(either ? " or " : ", "));
  const whose = here ? " (this link alone)" : " (your dictionary)";
  return el("div", {},
    el("p", {}, el("span", {}, `“${name}” stands for `, words, whose),
      act(here ? "Take it back" : "Search for it as written", () => change({ define: defining(state, name, here ? null : name) })),
      act("Say it otherwise", ({ currentTarget }) => openForm(currentTarget, name, definition, state, change))),
    here ? el("p", { class: "keep" }, "To keep it: ", el("code", {}, command(name, definition))) : null);
}

/** Names that this address has as they are written. */
function asWritten(state, change) {
  const names = state.define.filter((line) => nameIn(line) === folded(line.slice(line.indexOf("=") + 1)));
  return names.map(nameIn).filter((name) => folded(state.q).includes(name)).map((name) =>
    el("p", {}, el("span", {}, `“${name}” is read as it is written.`), act("Ask the dictionary", () => change({ define: defining(state, name, null) }))));
}

/** The line that keeps a definition, as a shell takes it. */
function command(name, definition) {
  const quoted = (text) => (/^[\p{L}\p{M}\p{N}_.^, -]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  return `unify words add ${/\s/.test(name) ? `"${name}"` : quoted(name)} ${quoted(definition)}`;
}

/** Ask for a definition behind a line, with what opened the form out of the way. */
function openForm(opener, name, written, state, change) {
  const line = opener.closest("p");
  const fault = el("p", { class: "fault", role: "alert" });
  const input = el("input", { name: "definition", required: true, maxlength: 256, autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "yellow dinosaur, or: cat OR dog", value: written });
  const close = () => {
    form.remove();
    line.hidden = false;
    opener.focus();
  };
  const form = el("form", { class: "teach", onsubmit: (event) => {
    event.preventDefault();
    use(state, defining(state, name, input.value.trim()), fault, change);
  }, onkeydown: (event) => event.key === "Escape" && close() },
    el("label", {}, el("span", {}, `“${name}” looks like`), input),
    el("button", { class: "quiet", type: "submit" }, "Search"),
    act("Cancel", close),
    fault);
  line.hidden = true;
  line.after(form);
  input.focus();
}

/** Take definitions into the address, once the server can read them. */
async function use(state, define, fault, change) {
  try {
    await api.get("search", { ...question({ ...state, define }), k: 1 });
    await change({ define });
  } catch (error) {
    fault.textContent = api.told(error);
  }
}
