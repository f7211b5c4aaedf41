import type { JsonObject } from '../kernel/json.ts';

const texts = new WeakMap<JsonObject, string>();

/** JSON text, made once per object: schemas are the bulk of a catalogue, and are measured, published and served. */
export function jsonText(value: JsonObject): string {
  let text = texts.get(value);
  if (text === undefined) {
    text = JSON.stringify(value);
    texts.set(value, text);
  }
  return text;
}
/** An object's JSON text without its end, so that parts which are text already can follow. */
export const openText = (head: object): string => {
  const text = JSON.stringify(head).slice(0, -1);
  return text === '{' ? text : `${text},`;
};
