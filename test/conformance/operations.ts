import { AI, inWeb, query, type Answer, type Broker, type Call } from './broker.ts';

export interface OperationCall {
  readonly what: string;
  readonly send: (call?: Call) => Promise<Answer>;
}
/** The ten operations, in an order in which each succeeds; on new ids. */
export function everyOperation(broker: Broker, plan = 'basic', search = AI): Promise<readonly OperationCall[]> {
  const instance = broker.fresh('every');
  const binding = broker.fresh('every');
  const ids = broker.ids(plan);
  const remove = `${query(ids)}&${search}`;
  return Promise.resolve([
    { what: 'catalog', send: (call) => broker.call('GET', '/v2/catalog', call) },
    { what: 'provision', send: (call) => broker.put(instance, broker.order(plan), search, call) },
    { what: 'fetch', send: (call) => broker.fetch(instance, '', call) },
    { what: 'poll', send: (call) => broker.poll(instance, '', call) },
    { what: 'update', send: (call) => broker.patch(instance, { service_id: ids.service_id }, search, call) },
    { what: 'bind', send: (call) => broker.bind(instance, binding, { ...ids, parameters: inWeb }, search, call) },
    { what: 'fetch binding', send: (call) => broker.fetchBinding(instance, binding, '', call) },
    { what: 'poll binding', send: (call) => broker.pollBinding(instance, binding, '', call) },
    { what: 'unbind', send: (call) => broker.unbind(instance, binding, remove, call) },
    { what: 'deprovision', send: (call) => broker.remove(instance, remove, call) },
  ]);
}
