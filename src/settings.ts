import * as value from './setting-values.ts';
import type { Parse } from './setting-values.ts';

export type Group =
  | 'Listening'
  | 'Data'
  | 'Catalogue'
  | 'Open Service Broker'
  | 'Mesh'
  | 'Off-mesh gateway'
  | 'Access'
  | 'Operations'
  | 'Keeping'
  | 'Command line'
  | 'Tests';

/** What must be there when a broker starts. */
export type PathKind = 'directory' | 'certificate' | 'private key';

/** One setting of the environment. `Value` is what it parses to; where there is no fallback and nothing is given it is null. */
export interface Setting<Value> {
  readonly env: string;
  readonly group: Group;
  readonly description: string;
  readonly parse: Parse<Value>;
  /** As text, so that it is checked and shown like a given one. `{NAME}` stands for another setting, `{package}` for the folder of this program. */
  readonly fallback: string | null;
  /** Never printed. */
  readonly secret: boolean;
  /** Its value is a path to something that must be there. */
  readonly names?: PathKind;
}
type Given<Value> = Pick<Setting<Value>, 'env' | 'group' | 'description' | 'parse' | 'names'>;
const required = <Value>(setting: Given<Value> & { readonly fallback: string }): Setting<Value> => ({ ...setting, secret: false });
const optional = <Value>(setting: Given<Value> & { readonly secret?: true }): Setting<Value | null> => ({
  secret: false,
  ...setting,
  fallback: null,
});

const day = 86_400;

/** Every setting there is. Printed by `npx meshbroker config` and into docs/configuration.md, in this order. */
export const settings = {
  listen: required({ env: 'MESHBROKER_LISTEN', group: 'Listening', fallback: '127.0.0.1:8080', parse: value.address, description: 'Address and port to listen on; port 0 takes a free one.' }),
  publicUrl: required({ env: 'MESHBROKER_PUBLIC_URL', group: 'Listening', fallback: '', parse: (text) => (text === '' ? '' : value.httpUrl(text)), description: 'How others reach the broker: in links of the catalogue and of the dashboard. Unset: made of the address it listens on.' }),
  tlsCert: optional({ env: 'MESHBROKER_TLS_CERT', group: 'Listening', parse: value.path, names: 'certificate', description: 'PEM file of the certificate chain; with the key, the broker speaks HTTPS.' }),
  tlsKey: optional({ env: 'MESHBROKER_TLS_KEY', group: 'Listening', parse: value.path, names: 'private key', description: 'PEM file of the private key.' }),
  trustProxy: required({ env: 'MESHBROKER_TRUST_PROXY', group: 'Listening', fallback: 'false', parse: value.trustProxy, description: 'Proxies in front whose X-Forwarded-For is believed: false, true, their number, or their addresses. Decides which address the limiter on failed logins counts.' }),
  maxConnections: required({ env: 'MESHBROKER_MAX_CONNECTIONS', group: 'Listening', fallback: '2000', parse: value.whole(1, 1_000_000), description: 'Connections at once; more are closed.' }),
  metricsListen: optional({ env: 'MESHBROKER_METRICS_LISTEN', group: 'Listening', parse: value.address, description: 'Address and port of a listener that serves /metrics, /livez and /readyz without credentials. Unset: /metrics on the main listener, with the admin token.' }),
  logLevel: required({ env: 'MESHBROKER_LOG_LEVEL', group: 'Listening', fallback: 'info', parse: value.oneOf('debug', 'info', 'warn', 'error', 'silent'), description: 'Least level that is logged: debug, info, warn, error or silent. One JSON object per line on standard output.' }),

  dataDir: required({ env: 'MESHBROKER_DATA_DIR', group: 'Data', fallback: '.meshbroker', parse: value.path, description: 'Directory of all that the broker keeps: embedded database, secret, first credentials, mesh objects.' }),
  databaseUrl: optional({ env: 'DATABASE_URL', group: 'Data', secret: true, parse: value.postgresUrl, description: 'PostgreSQL 15 or later in place of the embedded one. Several replicas share one. Its password may come from PGPASSWORD instead, where nothing need be escaped.' }),
  databasePool: required({ env: 'MESHBROKER_DATABASE_POOL', group: 'Data', fallback: '8', parse: value.whole(2, 200), description: 'Database connections at once; about four for each core of the database server.' }),
  secretFile: required({ env: 'MESHBROKER_SECRET_FILE', group: 'Data', fallback: '{MESHBROKER_DATA_DIR}/secret', parse: value.path, description: '32 random bytes, made at the first start (mode 0600): wraps the CA keys of the database, keys the HMACs of credentials, derives keys of bindings. The same file for all replicas; without it the database is of no use.' }),

  catalog: required({ env: 'MESHBROKER_CATALOG', group: 'Catalogue', fallback: '{package}/examples/bookinfo', parse: value.path, names: 'directory', description: 'Directory of offering files. Changes are taken over within 2 s.' }),
  training: required({ env: 'MESHBROKER_TRAINING', group: 'Catalogue', fallback: 'false', parse: value.flag, description: 'Load training plans, which delay, fail or hang on purpose.' }),

  osbMissingVersion: required({ env: 'MESHBROKER_OSB_MISSING_VERSION', group: 'Open Service Broker', fallback: '412', parse: value.missingVersion, description: 'Answer to a request without X-Broker-API-Version: 412, 400, or accept, which takes it as one of the newest version (for clients that never send it).' }),
  osbLastOperationAfterDelete: required({ env: 'MESHBROKER_OSB_LAST_OPERATION_AFTER_DELETE', group: 'Open Service Broker', fallback: 'succeeded', parse: value.oneOf('succeeded', 'gone'), description: 'Answer to last_operation once a deletion is done: succeeded (200), or gone (410), which ends the polling of clients that wait for it.' }),

  mesh: required({ env: 'MESHBROKER_MESH', group: 'Mesh', fallback: 'gitops', parse: value.oneOf('gitops', 'memory'), description: 'Where mesh objects go: gitops writes a Git tree that the cluster follows, memory keeps them in the process (trials and tests).' }),
  gitopsDir: required({ env: 'MESHBROKER_GITOPS_DIR', group: 'Mesh', fallback: '{MESHBROKER_DATA_DIR}/mesh', parse: value.path, description: 'Git work tree of driver gitops, made when missing. Replicas share one.' }),
  gitopsRemote: optional({ env: 'MESHBROKER_GITOPS_REMOTE', group: 'Mesh', parse: value.text, description: 'Git remote to push each commit to; an operation is done when its commit is pushed. Credentials come from Git (a helper, ssh), not from this URL.' }),
  gitopsBranch: required({ env: 'MESHBROKER_GITOPS_BRANCH', group: 'Mesh', fallback: 'main', parse: value.text, description: 'Branch that is committed to and pushed.' }),
  trustDomain: required({ env: 'MESHBROKER_TRUST_DOMAIN', group: 'Mesh', fallback: 'cluster.local', parse: value.trustDomain, description: "The mesh's trust domain (MeshConfig.trustDomain)." }),
  bindingTrustDomain: required({ env: 'MESHBROKER_BINDING_TRUST_DOMAIN', group: 'Mesh', fallback: 'bindings.cluster.local', parse: value.trustDomain, description: "Trust domain of the broker's own CA, for consumers outside the mesh. Never the mesh's." }),
  brokerLabel: required({ env: 'MESHBROKER_BROKER_LABEL', group: 'Mesh', fallback: 'meshbroker', parse: value.kubernetesName, description: 'Value of the label meshbroker.dev/broker: tells two brokers of one cluster apart.' }),
  accessLogProvider: required({ env: 'MESHBROKER_ACCESS_LOG_PROVIDER', group: 'Mesh', fallback: 'meshbroker-access-log', parse: value.kubernetesName, description: "Extension provider in MeshConfig that writes the broker's access-log format." }),
  rootNamespace: required({ env: 'MESHBROKER_ROOT_NAMESPACE', group: 'Mesh', fallback: 'istio-system', parse: value.kubernetesName, description: "Istio's root namespace, where the broker never writes." }),

  gatewayNamespace: required({ env: 'MESHBROKER_GATEWAY_NAMESPACE', group: 'Off-mesh gateway', fallback: 'istio-ingress', parse: value.kubernetesName, description: 'Namespace of the gateway that consumers outside the mesh call.' }),
  gatewaySelector: required({ env: 'MESHBROKER_GATEWAY_SELECTOR', group: 'Off-mesh gateway', fallback: 'istio=ingressgateway', parse: value.labels, description: 'Labels of its pods.' }),
  gatewayServiceAccount: required({ env: 'MESHBROKER_GATEWAY_SERVICE_ACCOUNT', group: 'Off-mesh gateway', fallback: 'istio-ingressgateway', parse: value.kubernetesName, description: 'Its service account: services let it in for bindings of consumers outside the mesh.' }),
  gatewayHostPattern: required({ env: 'MESHBROKER_GATEWAY_HOST_PATTERN', group: 'Off-mesh gateway', fallback: '{binding}.osb.example.com', parse: value.hostPattern, description: "Host that a consumer calls: {binding} stands for the binding's reference, {offering} for the offering's name." }),
  gatewayPort: required({ env: 'MESHBROKER_GATEWAY_PORT', group: 'Off-mesh gateway', fallback: '443', parse: value.whole(1, 65_535), description: 'Port that a consumer calls.' }),
  gatewayCredential: required({ env: 'MESHBROKER_GATEWAY_CREDENTIAL_NAME', group: 'Off-mesh gateway', fallback: 'meshbroker-gateway', parse: value.kubernetesName, description: "Secret with the operator's server certificate, beside the gateway. The broker never writes a private key into the tree." }),
  gatewayCa: optional({ env: 'MESHBROKER_GATEWAY_CA_FILE', group: 'Off-mesh gateway', parse: value.path, names: 'certificate', description: "PEM file of the CA of that server certificate: credentials tell consumers to trust it. Unset: they are told to trust the broker's own CA, as when it signed that certificate." }),

  platform: optional({ env: 'MESHBROKER_PLATFORM', group: 'Access', secret: true, parse: value.userAndPassword, description: 'user:password of a platform that exists from the start and may bind for every namespace (compose files, tests). Unset: a platform with a random password is made at the first start.' }),
  adminToken: optional({ env: 'MESHBROKER_ADMIN_TOKEN', group: 'Access', secret: true, parse: value.token, description: 'Token for all of /v1. Unset: a random one is made at the first start. The command line sends it.' }),
  failureLimit: required({ env: 'MESHBROKER_FAILURE_LIMIT', group: 'Access', fallback: '30', parse: value.whole(1, 100_000), description: 'Failed logins of one credential from one address within the window before the answer is 429.' }),
  failureWindow: required({ env: 'MESHBROKER_FAILURE_WINDOW_SECONDS', group: 'Access', fallback: '60', parse: value.whole(1, day), description: 'That window.' }),

  concurrency: required({ env: 'MESHBROKER_OPERATIONS_AT_ONCE', group: 'Operations', fallback: '8', parse: value.whole(1, 256), description: 'Operations that one process runs at once.' }),
  syncTimeout: required({ env: 'MESHBROKER_SYNC_TIMEOUT_SECONDS', group: 'Operations', fallback: '45', parse: value.whole(1, 600), description: 'Longest synchronous operation; then it is taken back. Platforms give up after 60 s.' }),
  stepTimeout: required({ env: 'MESHBROKER_STEP_TIMEOUT_SECONDS', group: 'Operations', fallback: '30', parse: value.whole(1, 600), description: 'Longest step of an operation; then the step is tried again.' }),
  shutdownGrace: required({ env: 'MESHBROKER_SHUTDOWN_SECONDS', group: 'Operations', fallback: '10', parse: value.whole(1, 60), description: 'Time that requests have to finish after SIGTERM.' }),
  caLife: required({ env: 'MESHBROKER_CA_DAYS', group: 'Operations', fallback: '90', parse: value.whole(2, 3_650), description: "Life of the CA's issuing certificate; bindings are valid for at most half of it." }),

  keepTombstones: required({ env: 'MESHBROKER_KEEP_TOMBSTONES_HOURS', group: 'Keeping', fallback: '72', parse: value.whole(72, 87_600), description: 'Deleted instances and bindings are remembered so long, so that repeated requests get true answers.' }),
  keepOperations: required({ env: 'MESHBROKER_KEEP_OPERATIONS_DAYS', group: 'Keeping', fallback: '90', parse: value.whole(3, 36_500), description: 'Finished operations.' }),
  keepCertificates: required({ env: 'MESHBROKER_KEEP_CERTIFICATES_DAYS', group: 'Keeping', fallback: '30', parse: value.whole(3, 36_500), description: 'Ended certificates (public parts; private keys are never kept).' }),
  keepUsage: required({ env: 'MESHBROKER_KEEP_USAGE_DAYS', group: 'Keeping', fallback: '400', parse: value.whole(36, 36_500), description: 'Single usage events. Totals by the hour are kept for ever.' }),

  url: optional({ env: 'MESHBROKER_URL', group: 'Command line', parse: value.httpUrl, description: 'Broker that the command line talks to. Unset: the one of MESHBROKER_DATA_DIR.' }),
  crashAt: optional({ env: 'MESHBROKER_CRASH_AT', group: 'Tests', parse: value.crashAt, description: 'Private to the kill tests: `<point>[:n]` kills the process at the n-th passing of a crash point.' }),
} as const satisfies Record<string, Setting<unknown>>; // prettier-ignore

export type SettingName = keyof typeof settings;
export type Values = { readonly [Name in SettingName]: ReturnType<(typeof settings)[Name]['parse']> };
