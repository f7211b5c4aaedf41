import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { BrokerError } from '../../kernel/errors.ts';
import type { Address } from '../../setting-values.ts';

const fixes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there: stop it or choose another port',
  EACCES: 'ports below 1024 need privileges: choose another port',
  EADDRNOTAVAIL: 'this machine does not have that address',
};
/** Resolves when the server listens; BrokerError with the fix otherwise. `setting`: where the address comes from. */
export async function listenOn(server: Server, { host, port }: Address, setting: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const refused = (error: Error & { code?: string }): void => {
      reject(
        new BrokerError('internal', `${setting}=${authority({ host, port })}: ${fixes[error.code ?? ''] ?? error.message}`, {}, error),
      );
    };
    server.once('error', refused);
    server.listen(port, host, () => {
      server.off('error', refused);
      resolve();
    });
  });
}
export const authority = ({ host, port }: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** The address with port 0 replaced by one that is free now: links in answers must name the port before the server listens. */
export async function settledAddress(address: Address, setting: string): Promise<Address> {
  if (address.port !== 0) return address;
  const probe = createServer();
  await listenOn(probe, address, setting);
  const bound = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return { host: address.host, port: typeof bound === 'object' && bound !== null ? bound.port : 0 };
}
/** How this machine reaches it: a wildcard address is reached by the loopback one. */
export const urlOf = ({ host, port }: Address, secure: boolean): string => {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${secure ? 'https' : 'http'}://${authority({ host: reached, port })}`;
};
