import { BrokerError } from '../kernel/errors.ts';

/**
 * Objects of ours that cannot be: refused by a planner, or by a driver for its mesh. The broker's own fault or its operator's, never that
 * of the request; the same try cannot succeed. The message is for the log; a platform reads of an internal failure.
 */
export class MeshRefusal extends BrokerError {
  constructor(message: string) {
    super('internal', message);
    this.name = 'MeshRefusal';
  }
}
