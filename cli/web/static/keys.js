// The keyboard: / to the box, arrows over the grid, Enter plays, Esc closes, ? helps.

import { $ } from "./dom.js";

const typing = (node) => node.matches?.("input, textarea, select, [contenteditable]");

/** Move the focus over the grid by rows and columns. */
function move(key) {
  const links = [...$("results").querySelectorAll(".card > a")];
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement?.closest?.(".card")?.querySelector("a"));
  if (at < 0) {
    links[0].focus();
    return true;
  }
  const across = links.filter((link) => link.offsetParent && link.getBoundingClientRect().top === links[0].getBoundingClientRect().top).length || 1;
  const to = at + { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[key];
  if (to < 0) {
    $("box").focus();
    return true;
  }
  links[Math.min(to, links.length - 1)].focus();
  return true;
}

/** @param acts `close()`, `pause()` and `cut()` in the player, each says whether it was open; `like(hit)`; `pick(hit)`; `help()` */
export function setUp(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open], :popover-open")) return;
    const { key, target } = event;
    const arrow = key.startsWith("Arrow");
    if (typing(target)) {
      if (target === $("box") && key === "ArrowDown" && move(key)) event.preventDefault();
      if (target === $("box") && key === "Escape") target.blur();
      return;
    }
    const letter = key.toLowerCase();
    if (key === "/") $("box").select();
    else if (key === "?") acts.help();
    else if (key === "Escape" && acts.close()) {
      // closed
    } else if (arrow && !target.closest?.("video, #player, .facets") && move(key)) {
      // moved
    } else if (letter === "m" && target.hit) acts.like(target.hit);
    else if (letter === "x" && target.hit) acts.pick(target.hit);
    else if (letter === "c" && acts.cut()) {
      // asks how
    } else if (key === " " && !target.closest?.("button, summary, video") && acts.pause()) {
      // or plays on
    } else return;
    event.preventDefault();
  });
}
