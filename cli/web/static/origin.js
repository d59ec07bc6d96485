// What the results are like: a moment of the library, or a picture or clip that was sent.

import * as api from "./api.js";
import { $, act, clock, cross, el } from "./dom.js";
import * as picture from "./picture.js";

/** Show it above the results, with a way back. */
export async function showOrigin(state, change, signal) {
  $("origin").hidden = true;
  if (state.picture) return show(picture.thumbnail(state.picture), picture.nameOf(state.picture), "", state, change);
  if (!state.like) return;
  const [video, at] = state.like.split("@").map(Number);
  const facts = await api.get(`videos/${video}`, {}, signal);
  show(api.thumbnail(video, at, 320), facts.name, `at ${clock(at)}`, state, change);
}

function show(src, name, where, { q }, change) {
  const small = [where, q ? `with “${q}”` : ""].filter(Boolean).join(", ");
  $("origin").replaceChildren(
    el("img", { src, alt: "", width: 96, height: 54 }),
    el("p", {}, `More like ${name}`, small ? el("small", {}, small) : null),
    without(change),
  );
  $("origin").hidden = false;
}

/** Say that what was sent is gone, and offer to send it again. */
export function showGone(change) {
  $("origin").replaceChildren(
    el("p", {}, "What you sent is gone"),
    act("Choose it again", picture.choose),
    without(change),
  );
  $("origin").hidden = false;
}

const without = (change) => cross("Without it", () => change({ like: "", picture: "" }));
