import type { MeshObject } from './mesh-object.ts';
import { MeshRefusal } from './mesh-refusal.ts';

/**
 * One YAML document that YAML 1.1 and 1.2 parsers read alike: only ASCII, a scalar is plain when no version could take it for anything
 * but its text, else double-quoted; keys sorted, so that equal objects are equal bytes. No tag, anchor or alias.
 */
export function objectYaml({ apiVersion, kind, metadata, spec }: MeshObject): string {
  const parts = { apiVersion, kind, metadata, spec };
  return Object.entries(parts)
    .map(([key, value]) => entry(key, value, ''))
    .join('');
}
/** Words that some parser reads as a boolean or null. */
const reserved = new Set(['y', 'yes', 'n', 'no', 'on', 'off', 'true', 'false', 'null']);
const plain = /^[A-Za-z][A-Za-z0-9._/-]*$/;
/** Parsers take keys of at most 1,024 characters unless they are announced by a question mark. */
const longestSimpleKey = 1_000;

function text(value: string): string {
  if (plain.test(value) && !reserved.has(value.toLowerCase())) return value;
  if (!value.isWellFormed())
    throw new MeshRefusal(`${JSON.stringify(value)} holds half a surrogate pair: YAML holds well-formed text only`);
  return JSON.stringify(value).replace(/[\u007f-\uffff]{1,2}/g, escapes);
}
/** `\u` takes four digits, and no parser joins two of them to one character. */
const escapes = (characters: string): string =>
  Array.from(characters)
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code < 0x7f) return character;
      return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    })
    .join('');
/** An exponent without a decimal point would be a text to YAML 1.1. */
function number(value: number): string {
  if (!Number.isFinite(value)) throw new MeshRefusal(`${value} is no number that YAML holds`);
  const json = JSON.stringify(value);
  return json.includes('e') && !json.includes('.') ? json.replace('e', '.0e') : json;
}
const isScalar = (value: unknown): value is string | number | boolean | null =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

function scalar(value: string | number | boolean | null): string {
  if (typeof value === 'string') return text(value);
  return typeof value === 'number' ? number(value) : String(value);
}
const fieldsOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  Object.entries(value as Record<string, unknown>)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** What follows a key or a dash on its own line, or nothing when it fits on theirs. */
function inline(value: unknown): string | undefined {
  if (isScalar(value)) return scalar(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : undefined;
  return fieldsOf(value).length === 0 ? '{}' : undefined;
}
function entry(key: string, value: unknown, indent: string): string {
  const name = text(key);
  const begin = name.length > longestSimpleKey ? `${indent}? ${name}\n${indent}:` : `${indent}${name}:`;
  const short = inline(value);
  return short === undefined ? `${begin}\n${block(value, `${indent}  `)}` : `${begin} ${short}\n`;
}
function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) return value.map((item: unknown) => listItem(item, indent)).join('');
  return fieldsOf(value)
    .map(([key, field]) => entry(key, field, indent))
    .join('');
}
function listItem(item: unknown, indent: string): string {
  const short = inline(item);
  if (short !== undefined) return `${indent}- ${short}\n`;
  return `${indent}- ${block(item, `${indent}  `).slice(indent.length + 2)}`;
}
