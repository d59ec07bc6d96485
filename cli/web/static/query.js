// Editing a query as text: the box always shows what is asked. Operators: see the help sheet.

const WORDS = /(?:path|len|after|before):"[^"]*"|[+-]?"[^"]*"(?:\^-?[\d.]+)?|[+-]?\([^)]*\)|\S+/g;
const FILTER = /^(path|len|after|before):/;

/** Split a word into its sign, itself and its weight. */
export function parts(word) {
  const [, sign, bare, weight] = /^([+-]?)(.*?)(?:\^(-?[\d.]+))?$/s.exec(word);
  return { sign, bare: bare.replaceAll('"', "").toLowerCase(), weight: weight ? Number(weight) : 1 };
}

const split = (query) => query.match(WORDS) || [];

const quoted = (term) => (/\s/.test(term) ? `"${term}"` : term);

/** How a term stands in a query: "+", "-", "" (a plain word), or null where it does not. */
export function standing(query, term) {
  const found = split(query).map(parts).find((part) => part.bare === term);
  return found ? found.sign : null;
}

/** Remove a term, or only its operators: then the plain word stays. */
export function without(query, term) {
  return split(query).filter((word) => parts(word).bare !== term).join(" ");
}

/** Put `word` where the term stands, or at the end, before any filters. */
function put(query, term, word) {
  const words = split(query);
  const at = words.findIndex((one) => parts(one).bare === term);
  if (at >= 0) words[at] = word;
  else {
    const filters = words.findIndex((one) => FILTER.test(one));
    words.splice(filters < 0 ? words.length : filters, 0, word);
  }
  return words.join(" ");
}

export const required = (query, term) => put(query, term, `+${quoted(term)}`);

export const excluded = (query, term) => put(query, term, `-${quoted(term)}`);

/** The words that must, or must not, show: each its sign and itself. */
export const demanded = (query) => (query.match(/(?<![^\s])[+-][^\s()":]+/g) || []).map((word) => [word[0], parts(word).bare]);

/**
 * Ask for less: leave filters and excluded words out, and do not insist on others.
 *
 * @param query the text
 * @param conditions those to loosen, as the server names them: `condition`, and its `position` or null
 */
export function loosened(query, conditions) {
  const words = [...query.matchAll(WORDS)];
  const kept = [];
  for (let i = 0; i < words.length; i += 1) {
    const { index } = words[i];
    let text = words[i][0];
    for (; words[i + 1]?.[0] === "OR" && words[i + 2]; i += 2) text += ` OR ${words[i + 2][0]}`;
    const asked = conditions.some((one) => one.position === null ? sameFilter(text, one.condition) : one.position >= index && one.position < index + text.length);
    kept.push(asked ? plain(text) : text);
  }
  return kept.filter(Boolean).join(" ");
}

const plain = (text) => (/^-|^\w+:/.test(text) ? "" : text.replace(/^\+/, "").replace(/[()]/g, "").replace(/\s+OR\s+/g, " "));

/** Of the filters by number and date, the server tells one that all of a kind come to. */
function sameFilter(text, condition) {
  const kind = FILTER.exec(text)?.[1];
  return kind === "path" ? parts(text).bare === parts(condition).bare : kind !== undefined && condition.startsWith(`${kind}:`);
}

/** Multiply a term's weight. */
export function weighed(query, term, factor) {
  const found = split(query).map(parts).find((part) => part.bare === term);
  const weight = Math.min(100, Math.max(0.125, (found?.weight ?? 1) * factor));
  const sign = found?.sign === "+" ? "+" : "";
  return put(query, term, weight === 1 ? `${sign}${quoted(term)}` : `${sign}${quoted(term)}^${weight}`);
}
