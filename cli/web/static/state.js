// What the page shows, kept in its address: a reload, a bookmark and "back" all work.

const PAGE = 24;
export const MOST = 10000; // results of one question

/** How many are shown after so many: a few at first, then more at once. */
export const further = (count) => Math.min(MOST, count + (count < 4 * PAGE ? PAGE : 4 * PAGE));

/** What belongs to one question only: another one starts without. */
export const FRESH = { drop: [], respell: true };

/** What holds where the address does not say otherwise. */
export const DEFAULTS = { q: "", like: "", picture: "", define: [], ...FRESH, moments: "best", pool: "max", sort: "score", threshold: null, expand: true, subtitles: true, twins: false, exact: false, count: PAGE, picks: [], video: null, at: null };
const ASKS = Object.keys(DEFAULTS).filter((name) => !["video", "at", "count", "picks"].includes(name));
const FEW = 3; // of one video
const POOLS = ["mean:2", "mean:3", "mean:5"];

/** What the server is asked with, beside which page of it and in what order. */
export function question({ q, like, picture, define, drop, respell, moments, pool, threshold, expand, subtitles, twins, exact }) {
  const off = (on) => (on ? "" : "false");
  return {
    q, like, picture, define, drop, threshold, exact, respell: off(respell), subtitles: off(subtitles),
    expand: off(expand || like || picture), // a moment or picture has no words to expand
    moments: moments === "all", per_video: moments === "few" ? FEW : "",
    pool: moments === "best" ? pool : "", // moments are not pooled
    duplicates: off(twins || moments === "all"),
  };
}

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
    picture: found.get("picture") || "",
    define: found.getAll("define"),
    drop: found.getAll("drop"),
    respell: found.get("respell") !== "0",
    moments: ["few", "all"].find((one) => one === found.get("moments")) ?? "best",
    pool: POOLS.find((one) => one === found.get("pool")) ?? "max",
    sort: found.get("sort") === "time" ? "time" : "score",
    threshold: number("min"),
    expand: found.get("expand") !== "0",
    subtitles: found.get("subtitles") !== "0",
    twins: found.get("duplicates") === "1",
    exact: found.get("exact") === "1",
    count: Math.min(MOST, Math.max(PAGE, Math.floor(number("n") ?? PAGE))),
    picks: (found.get("picked") ?? "").split(",").map(Number).filter((rank) => Number.isInteger(rank) && rank > 0),
    video: number("v"),
    at: number("t"),
  };
}

/** Return the address of a state. */
export function address(state) {
  const search = new URLSearchParams();
  if (state.q) search.set("q", state.q);
  if (state.like) search.set("like", state.like);
  if (state.picture) search.set("picture", state.picture);
  for (const line of state.define) search.append("define", line);
  for (const term of state.drop) search.append("drop", term);
  if (!state.respell) search.set("respell", "0");
  if (state.moments !== "best") search.set("moments", state.moments);
  if (state.pool !== "max") search.set("pool", state.pool);
  if (state.sort !== "score") search.set("sort", state.sort);
  if (state.threshold !== null) search.set("min", state.threshold);
  if (!state.expand) search.set("expand", "0");
  if (!state.subtitles) search.set("subtitles", "0");
  if (state.twins) search.set("duplicates", "1");
  if (state.exact) search.set("exact", "1");
  if (state.count !== PAGE) search.set("n", state.count);
  if (state.picks.length) search.set("picked", state.picks.join(","));
  if (state.video !== null) {
    search.set("v", state.video);
    search.set("t", Number((state.at ?? 0).toFixed(2)));
  }
  const text = search.toString();
  return text ? `?${text}` : "./";
}

/** Return a state with some of it changed; another question starts from its first page. */
export function changed(state, changes) {
  const picks = "sort" in changes ? state.picks : []; // ranks stay what they are in another order
  return { ...state, ...(asks(changes) ? { count: PAGE, picks } : {}), ...changes };
}

/** Whether changes make another question. */
export const asks = (changes) => ASKS.some((name) => name in changes);

export const asking = (state) => Boolean(state.q.trim() || example(state));

/** What the results are to be like, beside the words: a moment, or a picture that was sent. */
export const example = (state) => state.like || state.picture;

export const empty = () => ({ ...DEFAULTS });
