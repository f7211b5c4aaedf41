import { BrokerError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { Contract, Entrance } from '../contract.ts';
import type { operations } from '../generated/osb.ts';
import { bind, fetchBinding, lastBindingOperation, unbind } from './bindings.ts';
import { getCatalog } from './get-catalog.ts';
import { toOsbError } from './errors.ts';
import { apiMinorOf, originatingIdentityOf } from './headers.ts';
import type { OsbContext, OsbServices, OsbSettings } from './osb-services.ts';
import { deprovision, fetchInstance, lastInstanceOperation, provision, update } from './instances.ts';

export const osbContract = (services: OsbServices): Contract<operations, OsbContext> => ({
  name: 'osb',
  handlers: {
    'catalog.get': getCatalog(services),
    'serviceInstance.provision': provision(services),
    'serviceInstance.update': update(services),
    'serviceInstance.get': fetchInstance(services),
    'serviceInstance.deprovision': deprovision(services),
    'serviceInstance.lastOperation.get': lastInstanceOperation(services),
    'serviceBinding.binding': bind(services),
    'serviceBinding.get': fetchBinding(services),
    'serviceBinding.unbinding': unbind(services),
    'serviceBinding.lastOperation.get': lastBindingOperation(services),
  },
  enter: (entrance) => contextOf(entrance, services.settings),
  refuse: (error, { operationId }) => toOsbError(error, operationId),
});

function contextOf({ requestId, principal, header }: Entrance, settings: OsbSettings): OsbContext {
  const minor = apiMinorOf(header('x-broker-api-version'), settings.missingApiVersion);
  const originatingIdentity: JsonObject | null = originatingIdentityOf(header('x-broker-api-originating-identity'));
  if (principal?.kind !== 'platform') throw new BrokerError('forbidden', 'only the credentials of a platform may order and bind');
  return { caller: { platform: principal, originatingIdentity, requestId }, minor };
}
