// Menus beside what was clicked, and that of what can be done with a term.

import { $, el } from "./dom.js";
import * as query from "./query.js";
import { FRESH } from "./state.js";

let opener = null;

/**
 * Open the menu of a term beside what was clicked.
 *
 * @param button what was clicked; it gets the focus back
 * @param term the word
 * @param state of the page
 * @param change called with the changes of the state
 */
export function openMenu(button, term, state, change) {
  const ask = (q) => () => change({ q });
  const stands = query.standing(state.q, term);
  const alone = { q: term, like: "", picture: "", ...FRESH };
  open(button, "What to do with a term", [
    el("p", {}, el("strong", {}, term)),
    item("Must show", `+${term}`, ask(query.required(state.q, term))),
    item("Must not show", `-${term}`, ask(query.excluded(state.q, term))),
    item("Count more", "×2", ask(query.weighed(state.q, term, 2))),
    item("Count less", "×½", ask(query.weighed(state.q, term, 0.5))),
    ...(stands !== null && query.without(state.q, term) ? [item("Remove from the query", "", ask(query.without(state.q, term)))] : []),
    item("Search for it alone", "", () => change(alone)),
  ]);
}

/** Open a menu of `item`s, and text, beside a button, which gets the focus back. */
export function open(button, label, parts) {
  const menu = $("menu");
  menu.setAttribute("aria-label", label);
  menu.replaceChildren(...parts);
  opener = button;
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  menu.querySelector("button").focus();
}

/** A choice of a menu: what it does, and how that is written (or, as a node, what it means). */
export const item = (text, note, act) => el("button", { type: "button", onclick: () => {
  $("menu").hidePopover();
  act();
} }, text, note.nodeType ? note : el("code", {}, note));

function place(menu, beside) {
  menu.style.left = "0"; // where it has room to be as wide as it wants
  const { width, height } = menu.getBoundingClientRect();
  const below = beside.bottom + 6 + height < innerHeight;
  menu.style.left = `${Math.max(8, Math.min(beside.left, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, below ? beside.bottom + 6 : beside.top - height - 6)}px`;
}

/** Let arrows move in the menu, and give the focus back when it closes. */
export function setUp() {
  const menu = $("menu");
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const items = [...menu.querySelectorAll("button")];
    items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && (menu.contains(document.activeElement) || document.activeElement === document.body)) {
      opener?.focus();
    }
  });
}
