import type { Login } from './app.ts';
import { expectDocumented, fromFetch } from './expect-document.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}
export interface Settled {
  readonly state: string;
  readonly description?: string;
  /** Of the first answer. */
  readonly status: number;
  readonly body: Record<string, unknown>;
}
export interface OfferingShape {
  readonly id: string;
  readonly name: string;
  readonly plans: readonly PlanShape[];
}
export interface PlanShape {
  readonly id: string;
  readonly name: string;
  readonly schemas: {
    readonly service_binding: {
      readonly create: {
        readonly parameters: {
          readonly properties: { readonly consumer: { readonly properties: { readonly kind: { readonly enum: readonly string[] } } } };
        };
      };
    };
  };
}
export type Ids = Readonly<Record<'service_id' | 'plan_id', string>>;
export type OsbClient = ReturnType<typeof osbClient>;

export const basic = ({ user, password }: Login): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const pollMs = 15;
const patienceMs = 30_000;

/** An OSB platform in tests: every answer is checked against the documents. Ids are percent-encoded by it. */
export function osbClient(url: string, login: Login, version = '2.17') {
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: basic(login), 'x-broker-api-version': version, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const seen = await fromFetch(response);
    expectDocumented(method, path, seen);
    return {
      status: response.status,
      headers: response.headers,
      body: seen.text === '' ? {} : (JSON.parse(seen.text) as Record<string, unknown>),
    };
  };
  const settled = async (path: string, first: Answer): Promise<Settled> => {
    const { status, body } = first;
    if (status === 200 || status === 201) return { state: 'succeeded', status, body };
    if (status !== 202) return { state: 'refused', status, body, description: String(body['description']) };
    const operation = encodeURIComponent(String(body['operation']));
    for (const end = performance.now() + patienceMs; performance.now() < end;) {
      const last = await call('GET', `${path}/last_operation?operation=${operation}`);
      if (last.body['state'] !== 'in progress') return { ...(last.body as { state: string }), status, body };
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    throw new Error(`${path} did not settle`);
  };
  const instancePath = (instance: string): string => `/v2/service_instances/${encodeURIComponent(instance)}`;
  const bindingPath = (instance: string, binding: string): string =>
    `${instancePath(instance)}/service_bindings/${encodeURIComponent(binding)}`;
  const query = (ids: Ids): string =>
    `service_id=${encodeURIComponent(ids.service_id)}&plan_id=${encodeURIComponent(ids.plan_id)}&accepts_incomplete=true`;
  return {
    call,
    get: (path: string) => call('GET', path),
    instancePath,
    bindingPath,
    async catalog(): Promise<readonly OfferingShape[]> {
      return (await call('GET', '/v2/catalog')).body['services'] as readonly OfferingShape[];
    },
    /** What an order of this plan is made of; without a name of the offering's first plan. Throws when there is none. */
    async planIds(offering: string, plan?: string): Promise<Ids> {
      const found = (await this.catalog()).find(({ name }) => name === offering);
      const planFound = found?.plans.find(({ name }) => plan === undefined || name === plan);
      if (found === undefined || planFound === undefined) throw new Error(`no plan ${plan ?? ''} of ${offering} is on the shelf`);
      return { service_id: found.id, plan_id: planFound.id };
    },
    /** Waits for the end of an asynchronous operation. */
    settled,
    async provision(instance: string, body: Ids & Readonly<Record<string, unknown>>): Promise<Settled> {
      const path = instancePath(instance);
      return settled(path, await call('PUT', `${path}?accepts_incomplete=true`, { organization_guid: 'o', space_guid: 's', ...body }));
    },
    async update(instance: string, body: Readonly<Record<string, unknown>>): Promise<Settled> {
      const path = instancePath(instance);
      return settled(path, await call('PATCH', `${path}?accepts_incomplete=true`, body));
    },
    async bind(instance: string, binding: string, body: Readonly<Record<string, unknown>>): Promise<Settled> {
      const path = bindingPath(instance, binding);
      return settled(path, await call('PUT', `${path}?accepts_incomplete=true`, body));
    },
    async unbind(instance: string, binding: string, ids: Ids): Promise<Settled> {
      const path = bindingPath(instance, binding);
      return settled(path, await call('DELETE', `${path}?${query(ids)}`));
    },
    async deprovision(instance: string, ids: Ids): Promise<Settled> {
      const path = instancePath(instance);
      return settled(path, await call('DELETE', `${path}?${query(ids)}`));
    },
  };
}
