// Editing a query as text: the box always shows what is asked. Operators: see the help sheet.

const WORDS = /[+-]?"[^"]*"(?:\^-?[\d.]+)?|[+-]?\([^)]*\)|\S+/g;
const FILTER = /^(path|len|after|before):/;

/** Split a word into its sign, itself and its weight. */
export function parts(word) {
  const [, sign, bare, weight] = /^([+-]?)(.*?)(?:\^(-?[\d.]+))?$/s.exec(word);
  return { sign, bare: bare.replaceAll('"', "").toLowerCase(), weight: weight ? Number(weight) : 1 };
}

/** The filters of a query, as they are written. */
export const filters = (query) => split(query).filter((word) => FILTER.test(word));

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

export const plainly = (query, term) => put(query, term, quoted(term));

/** Multiply a term's weight. */
export function weighed(query, term, factor) {
  const found = split(query).map(parts).find((part) => part.bare === term);
  const weight = Math.min(100, Math.max(0.125, (found?.weight ?? 1) * factor));
  const sign = found?.sign === "+" ? "+" : "";
  return put(query, term, weight === 1 ? `${sign}${quoted(term)}` : `${sign}${quoted(term)}^${weight}`);
}
