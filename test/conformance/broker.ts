import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type Login, type TestApp, type TestAppOptions } from '../support/app.ts';
import { expectDocumented } from '../support/expect-document.ts';
import { basic } from '../support/osb-client.ts';
import { requirements, type CheckedId } from './requirements.ts';

export type Body = Readonly<Record<string, unknown>>;
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
  /** '' where there is none. */
  readonly operation: string;
}
export interface Call {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** null: without credentials. */
  readonly login?: Login | null;
  /** null: without the header. */
  readonly version?: string | null;
  /** Something is broken on purpose: 5xx may be answered. */
  readonly broken?: boolean;
  readonly signal?: AbortSignal;
}
export interface Ids {
  readonly service_id: string;
  readonly plan_id: string;
}
export interface CatalogPlan extends Body {
  readonly id: string;
  readonly name: string;
}
export interface CatalogService extends Body {
  readonly id: string;
  readonly name: string;
  readonly plans: readonly CatalogPlan[];
}
export const catalogDirectory = fileURLToPath(new URL('catalog', import.meta.url));
/** The client can wait. */
export const AI = 'accepts_incomplete=true';
export const inWeb = { consumer: { kind: 'sidecar', namespace: 'web', service_account: 'frontend' } };
export const query = ({ service_id, plan_id }: Ids): string =>
  `service_id=${encodeURIComponent(service_id)}&plan_id=${encodeURIComponent(plan_id)}`;
export const object = (value: unknown): Body => {
  expect(value).toBeTypeOf('object');
  expect(value).not.toBeNull();
  return value as Body;
};
const inside = /\bat \S+ \(|node_modules|\/src\/|\.ts:\d|\bselect \w+ from\b|\binsert into\b|duplicate key|violates/i;
const pollMs = 20;
const patienceMs = 15_000;

/** A broker with the conformance catalogue on a real port, and an OSB client that checks each answer for what holds everywhere. */
export class Broker {
  readonly app: TestApp;
  readonly statuses = new Set<number>();
  readonly #plans = new Map<string, Ids>();
  #count = 0;
  constructor(app: TestApp) {
    this.app = app;
  }
  static async open(options: TestAppOptions = {}): Promise<Broker> {
    const environment = { MESHBROKER_CATALOG: catalogDirectory, MESHBROKER_TRAINING: 'true', ...options.environment };
    const broker = new Broker(await createTestApp({ ...options, environment }));
    for (const service of await broker.services())
      for (const plan of service.plans) broker.#plans.set(plan.name, { service_id: service.id, plan_id: plan.id });
    return broker;
  }
  /** Names of plans are unique in the conformance catalogue. */
  ids = (plan: string): Ids => {
    const ids = this.#plans.get(plan);
    if (ids === undefined) throw new Error(`no plan ${plan}`);
    return ids;
  };
  fresh = (what = 'i'): string => `${what}-${(this.#count += 1)}`;

  async call(method: string, path: string, { body, headers = {}, login, version, broken, signal }: Call = {}): Promise<Answer> {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${this.app.url}${path}`, {
      method,
      headers: {
        ...(login === null ? {} : { authorization: basic(login ?? this.app.platform) }),
        ...(version === null ? {} : { 'x-broker-api-version': version ?? '2.17' }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
      ...(signal === undefined ? {} : { signal }),
    });
    const { status } = response;
    const seen = { status, headers: Object.fromEntries(response.headers), text: await response.text() };
    const where = `${method} ${path} → ${status} ${seen.text.slice(0, 400)}`;
    expectDocumented(method, path, seen);
    if (broken !== true) expect(status, where).toBeLessThan(500);
    expect([200, 201, 202, 304].includes(status) || status >= 400, where).toBe(true);
    if (status !== 304) expect(seen.headers['content-type'], where).toMatch(/^application\/json/);
    const parsed = seen.text === '' ? {} : object(JSON.parse(seen.text));
    if (status >= 400) {
      expect(parsed['error'], where).toMatch(/^[A-Z][A-Za-z]+$/);
      expect(parsed['description'], where).toMatch(/./);
      expect(seen.text, where).not.toMatch(inside);
    }
    this.statuses.add(status);
    const operation = typeof parsed['operation'] === 'string' ? parsed['operation'] : '';
    return { status, headers: response.headers, text: seen.text, body: parsed, operation };
  }
  async services(version = '2.17'): Promise<readonly CatalogService[]> {
    const { body } = await this.call('GET', '/v2/catalog', { version });
    return body['services'] as readonly CatalogService[];
  }

  instancePath = (instance: string): string => `/v2/service_instances/${encodeURIComponent(instance)}`;
  bindingPath = (instance: string, binding: string): string =>
    `${this.instancePath(instance)}/service_bindings/${encodeURIComponent(binding)}`;
  order = (plan: string, extra: Body = {}): Body => ({ ...this.ids(plan), organization_guid: 'o', space_guid: 's', ...extra });

  put = (instance: string, body: unknown, search = AI, call: Call = {}): Promise<Answer> =>
    this.call('PUT', `${this.instancePath(instance)}?${search}`, { body, ...call });
  patch = (instance: string, body: unknown, search = AI, call: Call = {}): Promise<Answer> =>
    this.call('PATCH', `${this.instancePath(instance)}?${search}`, { body, ...call });
  fetch = (instance: string, search = '', call: Call = {}): Promise<Answer> =>
    this.call('GET', `${this.instancePath(instance)}?${search}`, call);
  remove = (instance: string, search: string, call: Call = {}): Promise<Answer> =>
    this.call('DELETE', `${this.instancePath(instance)}?${search}`, call);
  poll = (instance: string, search = '', call: Call = {}): Promise<Answer> =>
    this.call('GET', `${this.instancePath(instance)}/last_operation?${search}`, call);
  bind = (instance: string, binding: string, body: unknown, search = AI, call: Call = {}): Promise<Answer> =>
    this.call('PUT', `${this.bindingPath(instance, binding)}?${search}`, { body, ...call });
  fetchBinding = (instance: string, binding: string, search = '', call: Call = {}): Promise<Answer> =>
    this.call('GET', `${this.bindingPath(instance, binding)}?${search}`, call);
  unbind = (instance: string, binding: string, search: string, call: Call = {}): Promise<Answer> =>
    this.call('DELETE', `${this.bindingPath(instance, binding)}?${search}`, call);
  pollBinding = (instance: string, binding: string, search = '', call: Call = {}): Promise<Answer> =>
    this.call('GET', `${this.bindingPath(instance, binding)}/last_operation?${search}`, call);
  del = (plan: string): string => `${query(this.ids(plan))}&${AI}`;

  /** The last answer of a poll that is repeated until it is no longer in progress. */
  async end(poll: () => Promise<Answer>): Promise<Answer> {
    for (const until = performance.now() + patienceMs; performance.now() < until;) {
      const answer = await poll();
      if (answer.body['state'] !== 'in progress') return answer;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    throw new Error('the operation did not end');
  }
  endOf = (instance: string, operation = ''): Promise<Answer> =>
    this.end(() => this.poll(instance, operation === '' ? '' : `operation=${operation}`));
  endOfBinding = (instance: string, binding: string, operation = ''): Promise<Answer> =>
    this.end(() => this.pollBinding(instance, binding, operation === '' ? '' : `operation=${operation}`));

  /** A new instance, ready. */
  async ready(plan: string, extra: Body = {}, instance = this.fresh()): Promise<string> {
    const made = await this.put(instance, this.order(plan, extra));
    if (made.status === 202) expect((await this.endOf(instance)).body['state']).toBe('succeeded');
    else expect(made.status, made.text).toBe(201);
    return instance;
  }
  /** A new binding, ready; for a workload in the mesh unless said otherwise. */
  async bound(instance: string, plan: string, extra: Body = { parameters: inWeb }, binding = this.fresh('b')): Promise<string> {
    const made = await this.bind(instance, binding, { ...this.ids(plan), ...extra });
    if (made.status === 202) expect((await this.endOfBinding(instance, binding)).body['state']).toBe('succeeded');
    else expect(made.status, made.text).toBe(201);
    return binding;
  }
  /** Until it is gone, also when the first try fails on purpose. */
  async gone(instance: string, plan: string): Promise<void> {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const answer = await this.remove(instance, this.del(plan));
      if (answer.status === 410 || answer.status === 200) return;
      if (answer.status === 202 && (await this.endOf(instance)).body['state'] === 'succeeded') return;
    }
    throw new Error(`${instance} is not gone`);
  }
  /** Mesh objects that carry the id of this binding or instance, alone or in a list. */
  objectsOf(id: string): readonly string[] {
    return [...this.app.mesh.objects].filter(([, object]) => idsOn(object.metadata.annotations).includes(id)).map(([key]) => key);
  }
  rows = async <Of = Body>(text: string, values: readonly unknown[] = []): Promise<readonly Of[]> =>
    (await this.app.database.run<Of>({ text }, values)).rows;
}
const idsOn = (annotations: Readonly<Record<string, string>>): readonly string[] =>
  ['instance-id', 'binding-id', 'bindings'].flatMap((name) => {
    const value = annotations[`meshbroker.dev/${name}`] ?? '';
    return name === 'bindings' ? [...value.matchAll(/"([^"]+)"|([^\s,[\]"]+)/g)].map((found) => found[1] ?? found[2] ?? '') : [value];
  });

/** One broker for the checks of a file; each check claims one id of the table, which names it. */
export function conformance(options: TestAppOptions = {}): (id: CheckedId, run: (broker: Broker) => Promise<void>) => void {
  let broker: Broker;
  beforeAll(async () => void (broker = await Broker.open(options)));
  afterAll(() => broker.app.close());
  return (id, run) => {
    test(`${id} ${requirements[id]}`, () => run(broker));
  };
}
