/** The operation was claimed again, cancelled or finished meanwhile: the worker stops without another write. */
export class LeaseLost extends Error {
  constructor(operationId: string) {
    super(`operation ${operationId} is no longer ours`);
    this.name = 'LeaseLost';
  }
}
