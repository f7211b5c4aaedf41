/**
 * Told by bindings, inside their own transactions, who may be calling from when to when. Usage events find their consumer by it:
 * policy reference first, else principal + service, at the event's time.
 */
export interface Attribution {
  readonly bindingRef: string;
  readonly lineageId: string;
  readonly instanceRef: string;
  readonly platformId: string;
  readonly organization: string;
  readonly offeringId: string;
  readonly offeringName: string;
  readonly planId: string;
  readonly planName: string;
  /** What reports call the consumer: `web/web-frontend`; off-mesh stable over rotation: `off-mesh/<app guid or first reference>`. */
  readonly consumer: string;
  readonly principal: string;
  /** Host names of the service as access logs may show them. */
  readonly hosts: readonly string[];
}
export interface AttributionStore {
  /** From now (database clock) until closed. Repeatable: an open attribution of the binding with the same plan is kept; another plan closes it and opens a new one. */
  open(attribution: Attribution): Promise<void>;
  close(bindingRef: string): Promise<void>;
}
/** The broker's own meters: `instance-hours`, `binding-hours`, exact from these rows. */
export interface SpanStore {
  openInstance(span: {
    instanceRef: string;
    platformId: string;
    organization: string;
    offeringId: string;
    offeringName: string;
    planId: string;
    planName: string;
  }): Promise<void>;
  closeInstance(instanceRef: string): Promise<void>;
  openBinding(attribution: Attribution): Promise<void>;
  closeBinding(bindingRef: string): Promise<void>;
}
