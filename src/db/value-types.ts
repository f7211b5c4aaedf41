import pg from 'pg';
import type { CustomTypesConfig } from 'pg';

const int8 = 20;
const int8Array = 1016;

function exactNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`int8 ${text} is too large for a number: select it as numeric or text`);
  return value;
}
const builtInArray = pg.types.getTypeParser(int8Array as never) as (text: string) => (string | null)[]; // its type knows no arrays
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [int8]: exactNumber,
  [int8Array]: (text) => builtInArray(text).map((item) => (item === null ? null : exactNumber(item))),
};

const builtIn = pg.types.getTypeParser as (oid: number, format?: string) => (text: string) => unknown;

/** int8 → number (refused beyond 2^53), numeric → string, timestamptz → Date, jsonb → value, bytea → Buffer. */
export const valueTypes = {
  getTypeParser: (oid: number, format?: string) => (format === 'binary' ? undefined : parsers[oid]) ?? builtIn(oid, format),
} as CustomTypesConfig;
