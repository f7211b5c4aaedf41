import { sha256Hex } from '../kernel/ids.ts';
import { canonicalJson, type JsonObject } from '../kernel/json.ts';

/** The parts of a context that name where it belongs; names and annotations may change at any time (AMB-07). */
export function placeOf(context: JsonObject | null): JsonObject {
  const { platform, namespace, clusterid, organization_guid, space_guid } = context ?? {};
  return compact({ platform, namespace, clusterid, organization_guid, space_guid });
}
/** Equal for requests that OSB calls identical (AMB-07): key order, null and absence do not matter. */
export const fingerprint = (parts: Readonly<Record<string, unknown>>): string => sha256Hex(canonicalJson(compact(parts)));

function compact(value: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined && item !== null)) as JsonObject;
}
/** RFC 7396: null removes a key. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map<string, JsonObject[string]>(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    const old = merged.get(key);
    if (value === null) merged.delete(key);
    else if (typeof value === 'object' && !Array.isArray(value)) {
      const base = typeof old === 'object' && old !== null && !Array.isArray(old) ? old : {};
      merged.set(key, mergePatch(base as JsonObject, value as JsonObject));
    } else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}
