/** Escapes that stand for one character or class of RE2; punctuation may always be escaped. */
const escapes =
  /^\\(?:[dDsSwWbBAzafnrtvCQE]|[pP](?:[A-Z]|\{\^?[A-Za-z_]+\})|x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})|0[0-7]{0,2}|[^A-Za-z0-9])/;
const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})/;
const groupStart = /^\((?:\?(?:P?<[A-Za-z_][A-Za-z0-9_]*>|[imsU]*(?:-[imsU]+)?:))?(?!\?)/;
const flagsAlone = /^\(\?[imsU]+(?:-[imsU]+)?\)/;
const mostRepeats = 1000;

/** Why Envoy's RE2 would refuse the expression; undefined: it takes it. */
export function whyNotRe2(pattern: string): string | undefined {
  let rest = pattern;
  let depth = 0;
  let mayRepeat = false;
  const take = (text: string): void => {
    rest = rest.slice(text.length);
  };
  while (rest !== '') {
    const token = nextToken(rest, depth, mayRepeat);
    if ('why' in token) return token.why;
    depth += token.depth;
    mayRepeat = token.mayRepeat;
    take(token.text);
  }
  return depth === 0 ? undefined : 'a "(" is not closed';
}
type Token = { readonly text: string; readonly depth: number; readonly mayRepeat: boolean } | { readonly why: string };
const atom = (text: string): Token => ({ text, depth: 0, mayRepeat: true });

function nextToken(rest: string, depth: number, mayRepeat: boolean): Token {
  const repeated = quantifier.exec(rest)?.[0];
  if (repeated !== undefined) return quantified(rest, repeated, mayRepeat);
  switch (rest[0]) {
    case '(':
      return group(rest);
    case ')':
      return depth === 0 ? { why: 'a ")" has no "("' } : { text: ')', depth: -1, mayRepeat: true };
    case '[':
      return characterClass(rest);
    case '\\':
      return escaped(rest);
    case '|':
    case '^':
      return { text: rest[0], depth: 0, mayRepeat: false };
    default:
      return atom(rest[0] ?? '');
  }
}
function quantified(rest: string, text: string, mayRepeat: boolean): Token {
  if (!mayRepeat) return { why: `"${text}" repeats nothing` };
  const counts = text.match(/\d+/g)?.map(Number) ?? [];
  if (counts.some((count) => count > mostRepeats)) return { why: `RE2 repeats at most ${mostRepeats} times` };
  if (counts.length === 2 && (counts[0] ?? 0) > (counts[1] ?? 0)) return { why: `"${text}" counts backwards` };
  const after = rest[text.length];
  if (after === '+' || after === '*') return { why: `RE2 has no possessive or doubled repetition ("${text}${after}")` };
  return { text: after === '?' ? `${text}?` : text, depth: 0, mayRepeat: false };
}
function group(rest: string): Token {
  if (/^\(\?<?[=!]/.test(rest)) return { why: 'RE2 has no look-ahead and no look-behind' };
  if (rest.startsWith('(?>')) return { why: 'RE2 has no atomic groups' };
  const flags = flagsAlone.exec(rest)?.[0];
  if (flags !== undefined) return { text: flags, depth: 0, mayRepeat: false };
  const text = groupStart.exec(rest)?.[0];
  return text === undefined ? { why: 'RE2 does not know this kind of group' } : { text, depth: 1, mayRepeat: false };
}
function escaped(rest: string): Token {
  if (/^\\[1-9k]/.test(rest)) return { why: 'RE2 has no back-references' };
  const text = escapes.exec(rest)?.[0];
  return text === undefined ? { why: `RE2 does not know the escape "${rest.slice(0, 2)}"` } : atom(text);
}
function characterClass(rest: string): Token {
  let at = rest[1] === '^' ? 2 : 1;
  const first = at;
  while (at < rest.length) {
    const tail = rest.slice(at);
    if (tail.startsWith(']') && at > first) return classToken(rest.slice(0, at + 1));
    const named = /^\[:\^?[a-z]+:\]/.exec(tail)?.[0];
    const escape = tail.startsWith('\\') ? escapes.exec(tail)?.[0] : undefined;
    if (tail.startsWith('\\') && escape === undefined) return { why: `RE2 does not know the escape "${tail.slice(0, 2)}"` };
    at += (named ?? escape ?? ' ').length;
  }
  return { why: 'a "[" is not closed' };
}
function classToken(text: string): Token {
  for (const [all, low = '', high = ''] of text.slice(1, -1).matchAll(/([A-Za-z0-9])-([A-Za-z0-9])/g)) {
    if (low > high) return { why: `the range ${all} runs backwards` };
  }
  return atom(text);
}
