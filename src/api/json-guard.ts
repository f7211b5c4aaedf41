import { cut } from '../kernel/cut.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { Json, JsonObject } from '../kernel/json.ts';

/** What a body may be at most; deeper or wider ones break stringifiers, canonicalisers and PostgreSQL further in. */
export interface JsonLimits {
  readonly maxDepth: number;
  readonly maxKeys: number;
}
export const smallBody: JsonLimits = { maxDepth: 32, maxKeys: 1_000 };
/** 10,000 CloudEvents with 40 attributes and data fields each. */
export const batchBody: JsonLimits = { maxDepth: 32, maxKeys: 400_000 };
const maxDigits = 64;

const poison = new Set(['__proto__', 'constructor', 'prototype']);
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const quote = 0x22;
const backslash = 0x5c;
const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** One pass over JSON text (RFC 8259) before JSON.parse sees it; recursion is bounded by maxDepth. */
class Scanner {
  readonly text: string;
  readonly limits: JsonLimits;
  position = 0;
  keys = 0;
  readonly path: (string | number)[] = [];
  constructor(text: string, limits: JsonLimits) {
    this.text = text;
    this.limits = limits;
  }

  document(): void {
    this.skipSpace();
    if (this.position >= this.text.length) this.refuse('is empty: send JSON');
    this.value(1);
    this.skipSpace();
    if (this.position < this.text.length) this.notJson('nothing may follow the JSON value');
  }

  private value(depth: number): void {
    const code = this.text.charCodeAt(this.position);
    if (code === 0x7b) this.object(depth);
    else if (code === 0x5b) this.array(depth);
    else if (code === quote) this.string();
    else if (code === 0x74) this.word('true');
    else if (code === 0x66) this.word('false');
    else if (code === 0x6e) this.word('null');
    else this.number();
  }

  private object(depth: number): void {
    this.enter(depth);
    const seen = new Set<string>();
    if (this.closes(0x7d)) return;
    do {
      this.skipSpace();
      if (this.text.charCodeAt(this.position) !== quote) this.notJson('a key in double quotes is expected');
      const key = this.string();
      this.path.push(key);
      this.checkKey(key, seen);
      this.skipSpace();
      if (this.text.charCodeAt(this.position) !== 0x3a) this.notJson('a colon is expected after the key');
      this.position += 1;
      this.skipSpace();
      this.value(depth + 1);
      this.path.pop();
    } while (this.continues(0x7d));
  }

  private array(depth: number): void {
    this.enter(depth);
    if (this.closes(0x5d)) return;
    let index = 0;
    do {
      this.path.push(index);
      index += 1;
      this.skipSpace();
      this.value(depth + 1);
      this.path.pop();
    } while (this.continues(0x5d));
  }

  private enter(depth: number): void {
    if (depth > this.limits.maxDepth) this.refuse(`is nested deeper than ${this.limits.maxDepth} levels: flatten it`);
    this.position += 1;
  }
  private closes(bracket: number): boolean {
    this.skipSpace();
    if (this.text.charCodeAt(this.position) !== bracket) return false;
    this.position += 1;
    return true;
  }
  private continues(bracket: number): boolean {
    this.skipSpace();
    const code = this.text.charCodeAt(this.position);
    if (code !== 0x2c && code !== bracket) this.notJson(`a comma or ${String.fromCharCode(bracket)} is expected`);
    this.position += 1;
    return code === 0x2c;
  }

  private checkKey(key: string, seen: Set<string>): void {
    if (poison.has(key)) this.refuse('has a name that is not allowed: rename it');
    if (seen.has(key)) this.refuse('is there twice: send each key once');
    seen.add(key);
    this.keys += 1;
    if (this.keys > this.limits.maxKeys) this.refuse(`is one key too many: send at most ${this.limits.maxKeys} keys`);
  }

  private string(): string {
    const start = this.position;
    let escaped = false;
    for (;;) {
      this.position += 1;
      const code = this.text.charCodeAt(this.position);
      if (code === quote) break;
      if (Number.isNaN(code)) this.notJson('the text ends inside a string');
      if (code < 0x20) this.notJson('control characters in strings must be escaped');
      if (code !== backslash) continue;
      escaped = true;
      this.escape();
    }
    this.position += 1;
    const inner = this.text.slice(start + 1, this.position - 1);
    return escaped ? (JSON.parse(`"${inner}"`) as string) : inner;
  }

  private escape(): void {
    this.position += 1;
    const kind = this.text.charAt(this.position);
    if (kind !== 'u') {
      if (kind === '' || !'"\\/bfnrt'.includes(kind)) this.notJson('an unknown escape stands in a string');
      return;
    }
    const unit = this.codeUnit(this.position + 1);
    this.position += 4;
    if (unit === 0) this.refuse('holds the character \\u0000: remove it');
    if (unit < 0xd800 || unit > 0xdfff) return;
    const paired = unit < 0xdc00 && this.text.startsWith('\\u', this.position + 1);
    const low = paired ? this.codeUnit(this.position + 3) : 0;
    if (low < 0xdc00 || low > 0xdfff) this.refuse('holds half of a surrogate pair: send both halves or neither');
    this.position += 6;
  }
  private codeUnit(at: number): number {
    const digits = this.text.slice(at, at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.notJson('\\u needs four hexadecimal digits');
    return Number.parseInt(digits, 16);
  }

  private number(): void {
    number.lastIndex = this.position;
    if (!number.test(this.text)) this.notJson('a JSON value is expected');
    const literal = this.text.slice(this.position, number.lastIndex);
    if (literal.length > maxDigits) this.refuse(`has a number of ${literal.length} characters: send at most ${maxDigits}, or a string`);
    if (!Number.isFinite(Number(literal))) this.refuse('has a number that is too large: send a smaller one, or a string');
    this.position = number.lastIndex;
  }
  private word(word: string): void {
    if (!this.text.startsWith(word, this.position)) this.notJson('a JSON value is expected');
    this.position += word.length;
  }
  private skipSpace(): void {
    while (isSpace(this.text.charCodeAt(this.position))) this.position += 1;
  }

  private refuse(what: string): never {
    const field = this.path.length === 0 ? 'the body' : printed(this.path);
    throw new BrokerError('bad-request', `${field} ${what}`, { field });
  }
  private notJson(what: string): never {
    const before = this.text.slice(0, this.position);
    const line = before.split('\n').length;
    const column = this.position - before.lastIndexOf('\n');
    const where = this.path.length === 0 ? '' : ` (in ${printed(this.path)})`;
    throw new BrokerError('bad-request', `the body is not JSON: ${what} at line ${line}, column ${column}${where}`);
  }
}
/** `context.0.0.0.….0.0`: where it begins and ends; at most 7 steps of 40 characters. */
function printed(path: readonly (string | number)[]): string {
  const steps = path.length <= mostSteps ? path : [...path.slice(0, mostSteps - 3), '…', ...path.slice(-2)];
  return steps.map((step) => shorten(String(step))).join('.');
}
const mostSteps = 7;
const longestStep = 40;
const shorten = (step: string): string => cut(step.replaceAll(/[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]/g, '?'), longestStep);

/** Refuses what JSON.parse, PostgreSQL or a merge further in would stumble over: depth, width, keys, numbers, characters. */
function guardJson(text: string, limits: JsonLimits): void {
  new Scanner(text, limits).document();
}

const [quoted, colon, opening, closing, digit, exponent] = [1, 2, 3, 4, 5, 6];
const steps = [0, 0, 0, 1, -1, 0, 0]; // deeper, by kind
const kinds = new Uint8Array(256);
for (const [characters, kind] of [['"', quoted], [':', colon], ['[{', opening], [']}', closing], ['0123456789.+-', digit], ['eE', exponent]] as const)
  for (const character of characters) kinds[character.charCodeAt(0)] = kind; // prettier-ignore

/**
 * How many keys JSON text has, seen in a third of the time that the guard takes; undefined: it holds something that the guard must look at.
 * Says nothing about grammar: JSON.parse does.
 */
function keysAtAGlance(bytes: Uint8Array, { maxDepth }: JsonLimits): number | undefined {
  let [keys, depth, digits] = [0, 0, 0];
  for (let at = 0; at < bytes.length; at += 1) {
    const kind = kinds[bytes[at] ?? 0] ?? 0;
    if (kind >= digit) {
      digits = kind === digit ? digits + 1 : digits * (maxDigits + 1); // an exponent, unless it is the e of true
      if (digits > maxDigits) return undefined;
      continue;
    }
    digits = 0;
    if (kind === quoted) at = endOfString(bytes, at + 1);
    else if (kind === colon) keys += 1;
    else depth += steps[kind] ?? 0;
    if (depth > maxDepth || at === bytes.length) return undefined;
  }
  return keys;
}
/** The place of its closing quote; the end of the bytes where there is none, or a character is written by its number. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) return at;
    if (byte !== backslash) continue;
    at += 1;
    if (bytes[at] === 0x75) break;
  }
  return bytes.length;
}
/** NaN: one of them is not allowed. */
function keysIn(value: object): number {
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) if (typeof item === 'object' && item !== null) keys += keysIn(item);
    return keys;
  }
  for (const key in value) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') return Number.NaN;
    keys += 1;
    const item = (value as JsonObject)[key];
    if (typeof item === 'object' && item !== null) keys += keysIn(item);
  }
  return keys;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BrokerError('bad-request', 'the body is not UTF-8: send it in that encoding');
  }
}
/** A body as a JSON value, or bad-request with field and fix. */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): Json {
  const text = decodeUtf8(bytes);
  const keys = keysAtAGlance(bytes, limits) ?? limits.maxKeys + 1;
  const value = keys > limits.maxKeys ? undefined : parsed(text);
  if (typeof value === 'object' && value !== null && keysIn(value) === keys) return value; // a key that was there twice is there once now
  guardJson(text, limits);
  return JSON.parse(text) as Json;
}
function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
