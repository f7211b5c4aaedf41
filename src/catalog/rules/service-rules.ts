import type { Json } from '../../kernel/json.ts';
import { isJsonObject } from '../../kernel/json.ts';
import { foreignTrustDomain } from '../../mesh/principal-name.ts';
import type { OfferingFile, ServiceFile } from '../offering-file.ts';
import type { DocumentPath, Report } from '../problem.ts';
import { printPath } from '../problem.ts';

/** Cloud Foundry refuses a catalogue beyond it (INT-08). */
const longestTags = 2048;
const ownMetadata: Readonly<Record<string, string>> = {
  displayName: 'display_name',
  longDescription: 'long_description',
  providerDisplayName: 'provider_display_name',
  documentationUrl: 'documentation_url',
  supportUrl: 'support_url',
  imageUrl: 'image_url',
  shareable: 'shareable',
};

/** Reports every item whose `of` was there before. */
export function checkUnique<T>(
  items: readonly T[],
  path: DocumentPath,
  of: (item: T) => string | number,
  key: string,
  report: Report,
): void {
  const seen = new Map<string | number, number>();
  for (const [index, item] of items.entries()) {
    const value = of(item);
    const before = seen.get(value);
    const here = [...path, index, key];
    if (before === undefined) seen.set(value, index);
    else report(here, `${printPath(here)}: "${value}" is already taken by ${printPath([...path, before])}`, 'choose another one');
  }
}
/** What the schema cannot say about the service, its metadata and its API descriptions. */
export function checkService(file: OfferingFile, rootNamespace: string | undefined, report: Report): void {
  const { service } = file;
  if (service.namespace === rootNamespace)
    report(
      ['service', 'namespace'],
      `service.namespace: ${service.namespace} is the mesh's root namespace, where objects would count for the whole mesh`,
      'run the service in another namespace, or correct MESHBROKER_ROOT_NAMESPACE',
    );
  checkUnique(service.ports, ['service', 'ports'], ({ name }) => name, 'name', report);
  checkUnique(service.ports, ['service', 'ports'], ({ number }) => number, 'number', report);
  checkUnique(service.subsets ?? [], ['service', 'subsets'], ({ name }) => name, 'name', report);
  checkUnique(file.apis ?? [], ['apis'], ({ name }) => name, 'name', report);
  for (const [index, host] of service.hosts.entries()) checkHost(service, host, index, report);
  const tags = (file.tags ?? []).join('').length;
  if (tags > longestTags)
    report(['tags'], `tags: ${tags} characters together`, `shorten them to ${longestTags}: Cloud Foundry refuses more`);
  checkExtra(file, report);
}
/** Right where meshes are federated; else nobody has that name, and who calls already is shut out by the first order. */
export function noteForeignCallers({ existing_callers: callers = [] }: ServiceFile, trustDomain: string, note: Report): void {
  for (const [index, caller] of callers.entries()) {
    const domain = foreignTrustDomain(caller, trustDomain);
    if (domain === undefined) continue;
    const path: DocumentPath = ['service', 'existing_callers', index];
    const own = caller.slice(domain.length + 1);
    note(
      path,
      `${printPath(path)}: "${caller}" is of trust domain ${domain}, and this mesh's is ${trustDomain} (MESHBROKER_TRUST_DOMAIN)`,
      `write ${own} for a workload of this mesh, or it is shut out; for one of a federated mesh nothing need be done`,
    );
  }
}
function checkHost(service: ServiceFile, host: string, index: number, report: Report): void {
  const path: DocumentPath = ['service', 'hosts', index];
  const [name, namespace, svc] = host.split('.');
  if (namespace === undefined) {
    report(path, `${printPath(path)}: "${host}" is a short name`, `write ${host}.${service.namespace}.svc.cluster.local`);
  } else if (svc === undefined && namespace === service.namespace) {
    report(path, `${printPath(path)}: "${host}" is a short name`, `write ${host}.svc.cluster.local`);
  } else if (svc === 'svc' && namespace !== service.namespace) {
    const fix = `write ${name ?? ''}.${service.namespace}.svc…, or correct service.namespace`;
    report(path, `${printPath(path)}: "${host}" is of namespace ${namespace} and the service of ${service.namespace}`, fix);
  } else if (/^[0-9.]+$/.test(host)) {
    report(path, `${printPath(path)}: "${host}" is an address`, 'write a host name');
  }
}
function checkExtra(file: OfferingFile, report: Report): void {
  const extra = file.metadata?.extra ?? {};
  for (const [key, value] of Object.entries(extra)) {
    const path: DocumentPath = ['metadata', 'extra', key];
    const problem = whyNotExtra(key, value);
    if (problem !== undefined) report(path, `${printPath(path)}: ${problem[0]}`, problem[1]);
  }
  if (JSON.stringify(extra).length > 65_536) report(['metadata', 'extra'], 'metadata.extra: is larger than 64 KiB', 'shorten it');
}
/** What is wrong and the fix. Clients are known to stumble over some shapes (INT-11). */
function whyNotExtra(key: string, value: Json): readonly [string, string] | undefined {
  const own = ownMetadata[key];
  if (own !== undefined) return ['has a key of its own', `write metadata.${own}`];
  if (key === 'x_apis') return ['is written by the broker', 'use apis'];
  if (value === null) return ['has no value', 'give it one or remove the key: a catalogue never says null'];
  if (!isJsonObject(value)) return undefined;
  if (key === 'listing') return ['clients stumble over a mapping here', 'use other keys'];
  const others = key === 'provider' && Object.keys(value).some((inner) => inner !== 'name');
  return others ? ['clients know only provider.name', 'use metadata.provider_display_name'] : undefined;
}
