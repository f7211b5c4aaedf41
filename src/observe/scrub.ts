import type { LogFields } from '../kernel/logger.ts';

/** Field names whose values are never written, whatever they hold. */
const secretName = /pass|secret|token|authori[sz]ation|credential|cookie|private|^csr|^key$|pem$/i;
/** Secrets that got into a text: our own, PEM keys, what follows Basic or Bearer, passwords of URLs. */
const secretText =
  /\bmb[pac]_[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)|\b(?:Basic|Bearer)\s+[\w.~+/=-]{8,}|(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@]+(?=@)/gi;
const longest = 2_000;
const deepestCause = 5;

const scrubText = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text).replace(secretText, '[secret]');

/** Type, message, code, stack and causes: nothing else of an error, for drivers put values of rows and requests there. */
function plainError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return scrubText(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const constraint = 'constraint' in error && typeof error.constraint === 'string' ? { constraint: error.constraint } : {};
  const stack = depth === 0 && error.stack !== undefined ? { stack: scrubText(error.stack) } : {};
  const cause = error.cause !== undefined && depth < deepestCause ? { cause: plainError(error.cause, depth + 1) } : {};
  return { type: error.name, message: scrubText(error.message), ...code, ...constraint, ...stack, ...cause };
}
function plainValue(value: unknown): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (value === null || ['number', 'boolean', 'undefined'].includes(typeof value)) return value;
  if (value instanceof Error) return plainError(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.slice(0, 20).map((item) => (typeof item === 'object' ? '[object]' : plainValue(item)));
  return `[${typeof value}]`;
}
/** What may be written of a log call: texts, numbers and errors at the top level. Objects are left out, for nobody has looked into them. */
export function scrub(fields: LogFields): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields))
    clean[name] = secretName.test(name) ? '[secret]' : name === 'error' ? plainError(value) : plainValue(value);
  return clean;
}
