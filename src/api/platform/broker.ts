import type { Catalog } from '../../catalog/catalog-port.ts';
import { BrokerError } from '../../kernel/errors.ts';
import type { Reply, Request } from '../contract.ts';
import type { operations } from '../generated/platform.ts';
import type { Readiness, RequestMetrics, TrustBundleSource } from '../ports.ts';

export const live = () => (): Promise<Reply<operations['health.live']>> => Promise.resolve({ status: 200, body: { status: 'ok' } });

export const ready = (readiness: Readiness) => async (): Promise<Reply<operations['health.ready']>> => {
  const { ready: isReady, checks } = await readiness.check();
  const body = { ready: isReady, checks: checks.map(({ name, ok, reasons }) => ({ name, ok, reasons: [...reasons] })) };
  return isReady ? { status: 200, body } : { status: 503, body };
};

export const metrics = (source: RequestMetrics) => async (): Promise<Reply<operations['metrics.get']>> => {
  const { contentType, text } = await source.expose();
  return { status: 200, type: 'text/plain', raw: Buffer.from(text), headers: { 'Content-Type': contentType } };
};

export const trustBundle = (certificates: TrustBundleSource) => async (): Promise<Reply<operations['trust.bundle']>> => ({
  status: 200,
  headers: { 'Cache-Control': 'public, max-age=300' },
  body: (await certificates.trustBundle()) as { keys: Record<string, never>[] },
});

type Api = operations['offerings.api'];
export const apiDescription =
  (catalog: Pick<Catalog, 'offeringNamed'>) =>
  ({ path }: Request<Api>): Promise<Reply<Api>> => {
    const description = catalog.offeringNamed(path.name)?.apis.find((api) => api.name === path.api);
    if (description === undefined)
      throw new BrokerError(
        'not-found',
        `offering ${path.name} has no API description ${path.api}: see the metadata of its offering in the catalogue`,
      );
    const isText = /^(?:text\/|application\/)(?:.*\+)?(?:json|yaml|plain|x-protobuf)$/.test(description.mediaType);
    return Promise.resolve({
      status: 200,
      type: isText ? description.mediaType : 'text/plain',
      raw: Buffer.from(description.text),
      headers: { 'Cache-Control': 'public, max-age=60' },
    });
  };
