/**
 * Makes test/fixtures/mesh/crds.json, by which the tests check every mesh object: the schemas and CEL rules of just the kinds that we
 * write, out of CustomResourceDefinition files. Run it when Istio or Gateway API are updated:
 *
 *   node scripts/mesh-crds.ts crd-all.gen.yaml gateway-api-standard.yaml
 *
 * crd-all.gen.yaml: istio/istio, manifests/charts/base/files; gateway-api: the files of config/crd/standard, joined. Both are Apache-2.0.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';
import { format } from 'prettier';
import { isJsonObject, type Json, type JsonObject } from '../src/kernel/json.ts';
import { objectKinds } from '../src/mesh/object-kinds.ts';

const target = fileURLToPath(new URL('../test/fixtures/mesh/crds.json', import.meta.url));
const notice =
  'Schemas and CEL validation rules of custom resources of Istio (istio.io/api, Copyright Istio Authors) and of Gateway API ' +
  '(sigs.k8s.io/gateway-api, Copyright The Kubernetes Authors), without descriptions. Licensed under the Apache License, Version 2.0: ' +
  'https://www.apache.org/licenses/LICENSE-2.0. Made by scripts/mesh-crds.ts.';

/** What a person reads, and what only the API server's own bookkeeping needs. */
const dropped = new Set(['description', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'example']);

/** `name`: what the value is called in its parent; under `properties` every key is a field, whatever it is called. */
function trimmed(value: Json, fields: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => trimmed(item as Json, false));
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => fields || !dropped.has(key));
  return Object.fromEntries(kept.map(([key, item]) => [key, trimmed(item, key === 'properties' && !fields)]));
}
interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: { readonly properties: JsonObject } };
    }[];
  };
}
function schemasOf({ spec }: Definition): readonly (readonly [string, Json])[] {
  return spec.versions.flatMap(({ name, schema }) => {
    const apiVersion = `${spec.group}/${name}`;
    if (!Object.entries(objectKinds).some(([kind, ofKind]) => kind === spec.names.kind && ofKind === apiVersion)) return [];
    return [[`${apiVersion}/${spec.names.kind}`, trimmed(schema.openAPIV3Schema.properties['spec'] ?? {}, false)]] as const;
  });
}
const texts = await Promise.all(process.argv.slice(2).map((path) => readFile(path, 'utf8')));
const crds = texts.flatMap((text) => loadAll(text)).filter((document) => document !== null);
const schemas = Object.fromEntries(crds.flatMap((crd) => schemasOf(crd as Definition)).sort(([a], [b]) => (a < b ? -1 : 1)));
const missing = Object.entries(objectKinds).filter(([kind, apiVersion]) => apiVersion !== 'v1' && !(`${apiVersion}/${kind}` in schemas));
if (missing.length > 0) throw new Error(`not in the files: ${missing.map(([kind]) => kind).join(', ')}`);
await writeFile(target, await format(JSON.stringify({ notice, schemas }), { parser: 'json', printWidth: 200 }));
console.log(`${target}: ${Object.keys(schemas).length} kinds`);
