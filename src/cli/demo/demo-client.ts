import { BrokerError } from '../../kernel/errors.ts';
import type { DemoBroker } from './demo-broker.ts';

export interface DemoPlan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly free: boolean;
}
export interface DemoOffering {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly plans: readonly DemoPlan[];
}
/** The demo as an OSB platform, and as an operator. */
export class DemoClient {
  readonly #broker: DemoBroker;
  constructor(broker: DemoBroker) {
    this.#broker = broker;
  }
  /** As the platform; answers of 400 and above are thrown with the broker's words. */
  async osb(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const { user, password } = this.#broker.platform;
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    return this.#send(method, `/v2${path}`, { authorization, 'x-broker-api-version': '2.17' }, body);
  }
  async admin(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Record<string, unknown>> {
    return this.#send(method, `/v1${path}`, { authorization: `Bearer ${this.#broker.adminToken}`, 'content-type': type }, body);
  }
  async #send(method: string, path: string, headers: Record<string, string>, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(this.#broker.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new BrokerError('internal', `${method} ${path} was answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  }
}
