import { AI, inWeb, query, type Answer, type Broker } from './broker.ts';

export interface RefusedRequest {
  readonly what: string;
  readonly status: number;
  readonly send: () => Promise<Answer>;
}
/** Requests that have to be refused, each with its status; what they are sent to is made first. */
export async function refusedRequests(broker: Broker): Promise<readonly RefusedRequest[]> {
  const ready = await broker.ready('basic', { parameters: { size: 1 } });
  const binding = await broker.bound(ready, 'basic');
  const other = await broker.ready('basic');
  const queued = await broker.ready('queued');
  const fixed = await broker.ready('plain');
  const closed = await broker.ready('closed');
  const creating = broker.fresh('hang');
  await broker.put(creating, broker.order('hang-provision'));
  const updating = await broker.ready('hang-update', {}, broker.fresh('hang'));
  await broker.patch(updating, { service_id: broker.ids('hang-update').service_id, parameters: { a: 1 } });
  const basic = broker.ids('basic');
  const payments = broker.ids('standard');
  const none = (): string => broker.fresh('none');
  const refused = (what: string, status: number, send: () => Promise<Answer>): RefusedRequest => ({ what, status, send });
  const badIdentity = { headers: { 'x-broker-api-originating-identity': 'one-word' } };
  return [
    refused('no credentials', 401, () => broker.put(none(), broker.order('basic'), AI, { login: null })),
    refused('no version', 412, () => broker.put(none(), broker.order('basic'), AI, { version: null })),
    refused('old version', 412, () => broker.put(none(), broker.order('basic'), AI, { version: '2.10' })),
    refused('no JSON', 400, () => broker.put(none(), '{')),
    refused('malformed identity', 400, () => broker.put(none(), broker.order('basic'), AI, badIdentity)),
    refused('no plan', 400, () => broker.put(none(), { ...broker.order('basic'), plan_id: undefined })),
    refused('unknown service', 400, () => broker.put(none(), broker.order('basic', { service_id: 'x' }))),
    refused('plan of another service', 400, () => broker.put(none(), broker.order('basic', { plan_id: payments.plan_id }))),
    refused('wrong parameters', 400, () => broker.put(none(), broker.order('basic', { parameters: { size: 9 } }))),
    refused('wrong maintenance version', 422, () => broker.put(none(), broker.order('basic', { maintenance_info: { version: '9.0.0' } }))),
    refused('asynchronous plan', 422, () => broker.put(none(), broker.order('queued'), '')),
    refused('strange accepts_incomplete', 400, () => broker.put(none(), broker.order('basic'), 'accepts_incomplete=1')),
    refused('other attributes', 409, () => broker.put(ready, broker.order('basic', { space_guid: 't' }))),
    refused('fetch of nothing', 404, () => broker.fetch(none())),
    refused('fetch of a new one', 404, () => broker.fetch(creating)),
    refused('fetch during an update', 422, () => broker.fetch(updating)),
    refused('poll of nothing', 404, () => broker.poll(none())),
    refused('update of nothing', 404, () => broker.patch(none(), { service_id: basic.service_id })),
    refused('update without a service', 400, () => broker.patch(ready, {})),
    refused('update to another service', 400, () => broker.patch(ready, payments)),
    refused('update with wrong parameters', 400, () => broker.patch(ready, { ...broker.ids('premium'), parameters: [] })),
    refused('update to no version', 422, () =>
      broker.patch(ready, { service_id: basic.service_id, maintenance_info: { version: '0.0.1' } }),
    ),
    refused('update of a fixed plan', 422, () => broker.patch(fixed, basic)),
    refused('update of an asynchronous plan', 422, () => broker.patch(queued, { service_id: basic.service_id }, '')),
    refused('update during another', 422, () => broker.patch(updating, { service_id: broker.ids('hang-update').service_id })),
    refused('bind on nothing', 404, () => broker.bind(none(), none(), { ...basic, parameters: inWeb })),
    refused('bind on a new one', 422, () => broker.bind(creating, none(), { ...broker.ids('hang-provision'), parameters: inWeb })),
    refused('bind on an unbindable plan', 400, () => broker.bind(closed, none(), { ...broker.ids('closed'), parameters: inWeb })),
    refused('bind without ids', 400, () => broker.bind(ready, none(), { parameters: inWeb })),
    refused('bind with foreign ids', 400, () => broker.bind(ready, none(), { ...payments, parameters: inWeb })),
    refused('bind with wrong parameters', 400, () => broker.bind(ready, none(), { ...basic, parameters: { contact: 1 } })),
    refused('bind with other parameters', 409, () => broker.bind(ready, binding, { ...basic, parameters: { ...inWeb, contact: 'c' } })),
    refused('bind with a used id', 409, () => broker.bind(other, binding, { ...basic, parameters: inWeb })),
    refused('rotation of nothing', 400, () => broker.bind(ready, none(), { predecessor_binding_id: 'none' })),
    refused('asynchronous bind', 422, () => broker.bind(queued, none(), { ...broker.ids('queued'), parameters: inWeb }, '')),
    refused('fetch of no binding', 404, () => broker.fetchBinding(ready, none())),
    refused('poll of no binding', 404, () => broker.pollBinding(ready, none())),
    refused('unbind of nothing', 410, () => broker.unbind(ready, none(), query(basic))),
    refused('unbind under another instance', 410, () => broker.unbind(other, binding, query(basic))),
    refused('unbind without ids', 400, () => broker.unbind(ready, binding, '')),
    refused('deprovision of nothing', 410, () => broker.remove(none(), query(basic))),
    refused('deprovision without ids', 400, () => broker.remove(ready, '')),
    refused('deprovision with foreign ids', 400, () => broker.remove(ready, query(payments))),
    refused('deprovision of an asynchronous plan', 422, () => broker.remove(queued, query(broker.ids('queued')))),
    refused('deprovision during an update', 422, () => broker.remove(updating, broker.del('hang-update'))),
  ];
}
