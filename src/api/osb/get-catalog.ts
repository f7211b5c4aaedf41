import { catalogReply } from '../catalog-reply.ts';
import type { Handler } from '../contract.ts';
import type { operations } from '../generated/osb.ts';
import type { OsbContext, OsbServices } from './osb-services.ts';

type Op = operations['catalog.get'];
/** OSB "Catalog Management"; most requests are answered before express (src/api/catalog-fast-path.ts), by the same function. */
export const getCatalog =
  ({ catalogPages }: OsbServices): Handler<Op, OsbContext> =>
  ({ context, header }) =>
    Promise.resolve(catalogReply(catalogPages, context.minor, header));
