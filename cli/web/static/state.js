// What the page shows, kept in its address: a reload, a bookmark and "back" all work.

export const PAGE = 24;

/** What belongs to one question only: another one starts without. */
export const FRESH = { drop: [], respell: true };

const START = { q: "", like: "", ...FRESH, pool: "best", sort: "score", subtitles: true, twins: false, count: PAGE, video: null, at: null };
const ASKS = Object.keys(START).filter((name) => !["video", "at"].includes(name));

/** What the server is asked with, beside how many. */
export const question = ({ q, like, drop, pool, subtitles, respell }) =>
  ({ q, like, drop, moments: pool === "all", subtitles: subtitles ? "" : "false", respell: respell ? "" : "false" });

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
    respell: found.get("respell") !== "0",
    pool: ["few", "all"].find((one) => one === found.get("moments")) ?? "best",
    sort: found.get("sort") === "time" ? "time" : "score",
    subtitles: found.get("subtitles") !== "0",
    twins: found.get("duplicates") === "1",
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
  if (!state.respell) search.set("respell", "0");
  if (state.pool !== "best") search.set("moments", state.pool);
  if (state.sort !== "score") search.set("sort", state.sort);
  if (!state.subtitles) search.set("subtitles", "0");
  if (state.twins) search.set("duplicates", "1");
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
  return { ...state, ...(asks(changes) ? { count: PAGE } : {}), ...changes };
}

/** Whether changes make another question. */
export const asks = (changes) => ASKS.some((name) => name in changes);

export const asking = (state) => Boolean(state.q.trim() || state.like);

export const empty = () => ({ ...START });
