import { BrokerError } from '../kernel/errors.ts';

export const conflictFix = 'unbind the other, choose the same plan, or give the plans different route_priority';

/** Two bindings of one workload want different things of which Istio takes only one. */
export class RouteConflict extends BrokerError {
  /** References, in order. */
  readonly between: readonly [string, string];
  /** `routes for the same requests` */
  readonly about: string;
  constructor(a: string, b: string, about: string) {
    const [one, other] = a < b ? [a, b] : [b, a];
    super('route-conflict', `bindings ${one} and ${other} of one workload want different ${about}: ${conflictFix}`);
    this.between = [one, other];
    this.about = about;
  }
}
