import type { JsonObject } from '../kernel/json.ts';
import { isJsonObject } from '../kernel/json.ts';
import type { ConsumerKind } from '../mesh/consumer.ts';
import type { CredentialKind, Plan } from './offering.ts';
import type { ParametersFile } from './offering-file.ts';

/** The only dialect that every known platform accepts (INT-09). */
export const draft04 = 'http://json-schema.org/draft-04/schema#';
/** What Meshbroker adds to the properties of every plan's bind schema. */
export const reservedBindProperties: readonly string[] = ['consumer', 'csr'];

/** Without a schema of its own a plan takes any parameters object at provision and update. One object, so that it is compiled once. */
const anyObject: JsonObject = { $schema: draft04, type: 'object' };
const label = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';

function consumerSchema(kinds: readonly ConsumerKind[]): JsonObject {
  return {
    type: 'object',
    description:
      "Who will call. Left out: on Kubernetes the workloads of the context's namespace under service account default, elsewhere a program outside the mesh.",
    properties: {
      kind: { type: 'string', enum: kinds, description: 'What kind of workload calls.' },
      namespace: { type: 'string', pattern: label, description: 'Kubernetes namespace of the workload.' },
      service_account: {
        type: 'string',
        maxLength: 253,
        pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
        description: 'Kubernetes service account of the workload.',
      },
      workload_labels: {
        type: 'object',
        maxProperties: 16,
        description: 'Labels of the workload; left out: every workload of the namespace.',
        patternProperties: {
          '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$': {
            type: 'string',
            pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$',
          },
        },
        additionalProperties: false,
      },
    },
    additionalProperties: false,
  };
}
const csrSchema: JsonObject = {
  type: 'string',
  maxLength: 8192,
  pattern: '^\\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----',
  description: 'Certificate signing request (PEM) of a P-256 key of your own. Left out: the broker makes a key.',
};

const plainBindSchemas = new Map<string, JsonObject>();
/** Plans without a bind schema of their own share one object for the same consumers, so that it is compiled, kept and serialised once. */
function plainBindSchema(kinds: readonly ConsumerKind[], withCsr: boolean): JsonObject {
  const key = `${kinds.join()} ${withCsr}`;
  const known = plainBindSchemas.get(key) ?? makeBindSchema({}, kinds, withCsr);
  plainBindSchemas.set(key, known);
  return known;
}
/** The bind schema as it stands in the catalogue: `consumer`, `csr` where certificates are handed out, and the plan's own properties. */
function makeBindSchema(own: JsonObject, kinds: readonly ConsumerKind[], withCsr: boolean): JsonObject {
  const ownProperties = isJsonObject(own['properties']) ? own['properties'] : {};
  return {
    type: 'object',
    additionalProperties: false,
    ...own,
    $schema: draft04,
    properties: {
      consumer: consumerSchema(kinds),
      ...(withCsr ? { csr: csrSchema } : {}),
      ...ownProperties,
    },
  };
}
const withDialect = (own: JsonObject | undefined): JsonObject =>
  own === undefined ? anyObject : { type: 'object', ...own, $schema: draft04 };

/** The three schemas of a plan with every default filled in. */
export function planSchemas(own: ParametersFile, kinds: readonly ConsumerKind[], credentials: readonly CredentialKind[]): Plan['schemas'] {
  const withCsr = credentials.includes('x509-svid');
  return {
    create: withDialect(own.provision),
    update: withDialect(own.update),
    bind: own.bind === undefined ? plainBindSchema(kinds, withCsr) : makeBindSchema(own.bind, kinds, withCsr),
  };
}
