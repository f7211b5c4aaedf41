import type { BindingView } from '../../bindings/binding-port.ts';
import type { InstanceFacts } from '../../instances/instance-port.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { LastOperation } from '../../operations/operation-port.ts';
import type { components } from '../generated/osb.ts';

type Schemas = components['schemas'];
type Wire = Readonly<Record<string, unknown>>;

/** Null and absent are the same (PRV-11, INT-02); the door's schema has checked that it is an object otherwise. */
export const objectOrNull = (value: Wire | null | undefined): JsonObject | null => (value ?? null) as JsonObject | null;
export const maintenanceVersionOf = (info: { readonly version?: string | null } | null | undefined): string | null => info?.version ?? null;

/** Instance metadata since 2.16, its attributes since 2.17 (INT-01). */
export function toInstanceMetadata({ metadata }: InstanceFacts, minor: number): { metadata?: Schemas['InstanceMetadata'] } {
  if (minor < 16) return {};
  const { labels, attributes } = metadata;
  const shown = { ...(isEmpty(labels) ? {} : { labels }), ...(minor < 17 || isEmpty(attributes) ? {} : { attributes }) };
  return isEmpty(shown) ? {} : { metadata: shown };
}
/** Endpoints since 2.15, metadata since 2.16, renew_before since 2.17 (INT-01). */
export function toBinding(view: BindingView, minor: number): Schemas['Binding'] {
  const { credentials, endpoints, metadata, parameters } = view;
  const moments = {
    ...(metadata.expiresAt === null ? {} : { expires_at: metadata.expiresAt.toISOString() }),
    ...(metadata.renewBefore === null || minor < 17 ? {} : { renew_before: metadata.renewBefore.toISOString() }),
  };
  return {
    credentials,
    ...(minor < 15 || endpoints.length === 0
      ? {}
      : { endpoints: endpoints.map(({ host, ports, protocol }) => ({ host, ports: [...ports], protocol })) }),
    ...(minor < 16 || isEmpty(moments) ? {} : { metadata: moments }),
    ...(parameters === null ? {} : { parameters }),
  };
}
/** LOI-12: usability only of failures; LOB-07: never of bindings. */
export function toLastOperation(
  { state, description, instanceUsable, updateRepeatable }: LastOperation,
  minor: number,
): Schemas['InstanceOperation'] {
  const failed = state === 'failed' && minor >= 16;
  return {
    state,
    ...(description === '' ? {} : { description }),
    ...(failed && instanceUsable !== null ? { instance_usable: instanceUsable } : {}),
    ...(failed && updateRepeatable !== null ? { update_repeatable: updateRepeatable } : {}),
  };
}
const isEmpty = (object: object): boolean => Object.keys(object).length === 0;
