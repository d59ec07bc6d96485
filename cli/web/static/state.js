// What the page shows, kept in its address: a reload, a bookmark and "back" all work.

export const PAGE = 24;

const START = { q: "", like: "", drop: [], moments: false, count: PAGE, video: null, at: null };

/** Read the state from the address. */
export function read() {
  const found = new URLSearchParams(location.search);
  const number = (name) => {
    const text = found.get(name);
    return text !== null && text !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
  };
  return {
    q: found.get("q") || "",
    like: found.get("like") || "",
    drop: found.getAll("drop"),
    moments: found.get("moments") === "1",
    count: Math.min(192, Math.max(PAGE, number("n") || PAGE)),
    video: number("v"),
    at: number("t"),
  };
}

/** Return the address of a state. */
export function address(state) {
  const search = new URLSearchParams();
  if (state.q) search.set("q", state.q);
  if (state.like) search.set("like", state.like);
  for (const term of state.drop) search.append("drop", term);
  if (state.moments) search.set("moments", "1");
  if (state.count !== PAGE) search.set("n", state.count);
  if (state.video !== null) {
    search.set("v", state.video);
    search.set("t", Number((state.at ?? 0).toFixed(2)));
  }
  const text = search.toString();
  return text ? `?${text}` : "./";
}

/** Return a state with some of it changed; another question starts from its first page. */
export function changed(state, changes) {
  const asks = ["q", "like", "drop", "moments"].some((name) => name in changes);
  return { ...state, ...(asks ? { count: PAGE } : {}), ...changes };
}

export const asking = (state) => Boolean(state.q.trim() || state.like);

export const empty = () => ({ ...START });
