import type { Logger } from '../../kernel/logger.ts';
import type { BindingService } from '../../bindings/binding-port.ts';
import type { InstanceService } from '../../instances/instance-port.ts';
import type { Caller } from '../../operations/operation-port.ts';
import type { CatalogPages } from '../catalog-reply.ts';
import type { MissingApiVersion } from './headers.ts';

export interface OsbSettings {
  readonly missingApiVersion: MissingApiVersion;
  /** AMB-03: what polling a finished deletion answers while its tombstone lives. */
  readonly lastOperationAfterDelete: 'succeeded' | 'gone';
}

export interface OsbServices {
  readonly instances: InstanceService;
  readonly bindings: BindingService;
  readonly catalogPages: CatalogPages;
  readonly settings: OsbSettings;
  /** For what is served and yet looks wrong. */
  readonly logger?: Logger;
}
/** What every OSB handler knows of its request. */
export interface OsbContext {
  /** Who calls; only the catalog's handler never asks. */
  readonly caller: Caller;
  /** The OSB minor version to answer in. */
  readonly minor: number;
}
