import { resolve } from 'node:path';
import { didYouMean } from './catalog/did-you-mean.ts';
import { BrokerError } from './kernel/errors.ts';
import type { MeshSettings } from './mesh/mesh-settings.ts';
import { packageFolder } from './package-folder.ts';
import type { Address, CrashAt, NamedPassword } from './setting-values.ts';
import { WrongValue } from './setting-values.ts';
import type { PathKind, Setting, Values } from './settings.ts';
import { settings } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** All settings, read once; durations in the unit of their name. */
export interface Config {
  readonly listen: Address;
  /** null: made of the address that is listened on. */
  readonly publicUrl: string | null;
  /** Paths of PEM files. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly trustProxy: boolean | number | string;
  readonly maxConnections: number;
  readonly failureLimit: { readonly failures: number; readonly windowSeconds: number };
  readonly metricsListen: Address | null;
  readonly logLevel: Values['logLevel'];
  readonly dataDirectory: string;
  readonly secretFile: string;
  /** url null: the embedded database. */
  readonly database: { readonly url: string | null; readonly poolSize: number };
  readonly catalog: { readonly directory: string; readonly training: boolean };
  readonly osb: {
    readonly missingApiVersion: Values['osbMissingVersion'];
    readonly lastOperationAfterDelete: Values['osbLastOperationAfterDelete'];
  };
  readonly mesh: {
    readonly driver: Values['mesh'];
    readonly gitops: { readonly directory: string; readonly remote: string | null; readonly branch: string };
    readonly settings: MeshSettings;
    /** Path of a PEM file; null: consumers are told to trust the binding CA. */
    readonly gatewayCaFile: string | null;
  };
  readonly identity: { readonly bindingTrustDomain: string; readonly intermediateLifeSeconds: number; readonly keepSeconds: number };
  readonly access: { readonly platform: NamedPassword | null; readonly adminToken: string | null };
  readonly operations: {
    readonly concurrency: number;
    readonly syncTimeoutMs: number;
    readonly stepTimeoutMs: number;
    readonly shutdownMs: number;
  };
  readonly keep: { readonly tombstoneHours: number; readonly operationDays: number; readonly usageDays: number };
  /** Of the broker that the command line talks to; null: as the data directory says. */
  readonly url: string | null;
  readonly crashAt: CrashAt | null;
  /** MESHBROKER_… variables that nothing reads, each with what was probably meant. */
  readonly unknown: readonly string[];
}

/** One line for the table of settings; secrets are never in it. */
export interface SettingLine {
  readonly env: string;
  readonly group: string;
  readonly description: string;
  readonly secret: boolean;
  readonly fallback: string | null;
  readonly given: string | null;
}
export { packageFolder };
const all: readonly Setting<unknown>[] = Object.values(settings);

export const settingLines = (environment: Environment): readonly SettingLine[] =>
  all.map(({ env, group, description, secret, fallback }) => {
    const given = givenText(environment, env);
    return { env, group, description, secret, fallback, given: given !== null && secret ? '(secret)' : given };
  });

/** Throws BrokerError `bad-request` that names every wrong setting and its fix. Pure. */
export function loadConfig(environment: Environment): Config {
  const { values, problems } = parsed(environment);
  if (problems.length > 0) throw new BrokerError('bad-request', problems.join('\n'));
  return { ...listening(values), ...rooms(values), unknown: unknownNames(environment) };
}
/** What loadConfig would throw, a line for each. Pure. */
export const wrongSettings = (environment: Environment): readonly string[] => parsed(environment).problems;

/** Values are good where there are no problems. */
function parsed(environment: Environment): { readonly values: Values; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [name, valueOf(setting, environment, problems)]),
  ) as unknown as Values; // each entry was parsed by the setting of its name
  return { values, problems: [...problems, ...contradictions(values)] };
}

/** A file or directory that a setting names and that must be there. */
export interface SettingPath {
  readonly env: string;
  readonly path: string;
  readonly kind: PathKind;
}
export const settingPaths = (environment: Environment): readonly SettingPath[] =>
  all.flatMap(({ env, fallback, names }) => {
    const text = textOf({ env, fallback }, environment);
    return names === undefined || text === null ? [] : [{ env, path: resolve(text), kind: names }];
  });

function givenText(environment: Environment, env: string): string | null {
  const text = environment[env];
  return text === undefined || text === '' ? null : text;
}
function textOf({ env, fallback }: Pick<Setting<unknown>, 'env' | 'fallback'>, environment: Environment): string | null {
  const given = givenText(environment, env);
  if (given !== null || fallback === null) return given;
  return fallback.replace(/^\{(\w+)\}/, (whole, other: string) => {
    if (other === 'package') return packageFolder;
    const setting = all.find((each) => each.env === other);
    return setting === undefined ? whole : (textOf(setting, environment) ?? whole);
  });
}
function valueOf(setting: Setting<unknown>, environment: Environment, problems: string[]): unknown {
  const text = textOf(setting, environment);
  if (text === null) return null;
  try {
    return setting.parse(text);
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    problems.push(`${setting.env}${setting.secret ? '' : `=${text}`}: ${error.message}`);
    return null;
  }
}
type Nullable<T> = { readonly [Key in keyof T]: T[Key] | null };
/** Between settings that are good by themselves; a wrong one is null here. */
function contradictions(values: Nullable<Values>): readonly string[] {
  const { tlsCert, tlsKey, trustDomain, bindingTrustDomain, gatewayNamespace, rootNamespace } = values;
  const problems: string[] = [];
  for (const [given, missing, one, other] of [
    ['MESHBROKER_TLS_CERT', 'MESHBROKER_TLS_KEY', tlsCert, tlsKey],
    ['MESHBROKER_TLS_KEY', 'MESHBROKER_TLS_CERT', tlsKey, tlsCert],
  ] as const)
    if (one !== null && other === null) problems.push(`${given}=${one}: goes with ${missing}: set that too, or none for plain HTTP`);
  if (bindingTrustDomain !== null && trustDomain === bindingTrustDomain)
    problems.push(
      `MESHBROKER_BINDING_TRUST_DOMAIN=${bindingTrustDomain}: give another domain than MESHBROKER_TRUST_DOMAIN, or the broker's CA could name workloads of the mesh`,
    );
  if (gatewayNamespace !== null && gatewayNamespace === rootNamespace)
    problems.push(
      `MESHBROKER_GATEWAY_NAMESPACE=${gatewayNamespace}: it is MESHBROKER_ROOT_NAMESPACE, where the broker never writes: run the gateway in another namespace`,
    );
  return problems;
}
/** Kubernetes itself sets MESHBROKER_SERVICE_… and MESHBROKER_PORT… beside a Service named meshbroker. */
function unknownNames(environment: Environment): readonly string[] {
  const known = all.map(({ env }) => env);
  return Object.keys(environment)
    .filter((name) => name.startsWith('MESHBROKER_') && !/^MESHBROKER_(SERVICE|PORT)(_|$)/.test(name) && !known.includes(name))
    .map((name) => {
      const meant = didYouMean(name, known);
      return meant === undefined ? name : `${name} (did you mean ${meant}?)`;
    });
}

type Listening = Pick<Config, 'listen' | 'publicUrl' | 'tls' | 'trustProxy' | 'maxConnections' | 'failureLimit' | 'metricsListen' | 'logLevel' | 'url' | 'crashAt'>; // prettier-ignore
const listening = (values: Values): Listening => ({
  listen: values.listen,
  publicUrl: values.publicUrl === '' ? null : values.publicUrl,
  tls: values.tlsCert === null || values.tlsKey === null ? null : { certFile: values.tlsCert, keyFile: values.tlsKey },
  trustProxy: values.trustProxy,
  maxConnections: values.maxConnections,
  failureLimit: { failures: values.failureLimit, windowSeconds: values.failureWindow },
  metricsListen: values.metricsListen,
  logLevel: values.logLevel,
  url: values.url,
  crashAt: values.crashAt,
});
const day = 86_400;
const rooms = (values: Values): Omit<Config, keyof Listening | 'unknown'> => ({
  dataDirectory: values.dataDir,
  secretFile: values.secretFile,
  database: { url: values.databaseUrl, poolSize: values.databasePool },
  catalog: { directory: values.catalog, training: values.training },
  osb: { missingApiVersion: values.osbMissingVersion, lastOperationAfterDelete: values.osbLastOperationAfterDelete },
  mesh: {
    driver: values.mesh,
    gitops: { directory: values.gitopsDir, remote: values.gitopsRemote, branch: values.gitopsBranch },
    settings: meshSettings(values),
    gatewayCaFile: values.gatewayCa,
  },
  identity: {
    bindingTrustDomain: values.bindingTrustDomain,
    intermediateLifeSeconds: values.caLife * day,
    keepSeconds: values.keepCertificates * day,
  },
  access: { platform: values.platform, adminToken: values.adminToken },
  operations: {
    concurrency: values.concurrency,
    syncTimeoutMs: values.syncTimeout * 1_000,
    stepTimeoutMs: values.stepTimeout * 1_000,
    shutdownMs: values.shutdownGrace * 1_000,
  },
  keep: { tombstoneHours: values.keepTombstones, operationDays: values.keepOperations, usageDays: values.keepUsage },
});
const meshSettings = (values: Values): MeshSettings => ({
  trustDomain: values.trustDomain,
  bindingTrustDomain: values.bindingTrustDomain,
  gateway: {
    namespace: values.gatewayNamespace,
    selector: values.gatewaySelector,
    serviceAccount: values.gatewayServiceAccount,
    hostPattern: values.gatewayHostPattern,
    port: values.gatewayPort,
    credentialName: values.gatewayCredential,
  },
  broker: values.brokerLabel,
  accessLogProvider: values.accessLogProvider,
  rootNamespace: values.rootNamespace,
});
