import { BrokerError } from '../../kernel/errors.ts';
import type { LastOperation, LastOperationOutcome } from '../../operations/operation-port.ts';
import type { OsbSettings } from './osb-services.ts';
import { noStore } from './no-store.ts';

const pollAfterSeconds = '1';

/** LOI-03, LOI-09, AMB-03: Retry-After only while in progress; a finished deletion as the setting says. */
export function lastOperationReply<Body>(
  outcome: LastOperationOutcome,
  { lastOperationAfterDelete }: OsbSettings,
  what: string,
  toBody: (operation: LastOperation) => Body,
): { readonly status: 200; readonly headers: Readonly<Record<string, string>>; readonly body: Body } {
  if (outcome.kind === 'unknown') throw new BrokerError('not-found', `no ${what} with this id`);
  const { operation } = outcome;
  const deleted = operation.state === 'succeeded' && (operation.kind === 'deprovision' || operation.kind === 'unbind');
  if (deleted && lastOperationAfterDelete === 'gone') throw new BrokerError('gone', `the ${what} is gone`);
  const headers = operation.state === 'in progress' ? { ...noStore, 'Retry-After': pollAfterSeconds } : noStore;
  return { status: 200, headers, body: toBody(operation) };
}
