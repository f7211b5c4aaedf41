import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface DatabaseProxy {
  /** The same database through 127.0.0.1. */
  readonly url: string;
  /** Ends all connections; new ones work. */
  readonly cut: () => void;
  /** While true, what is sent gets nowhere, as through a broken network. */
  readonly swallow: (yes: boolean) => void;
  readonly close: () => Promise<void>;
}
/** Between a client and the test server: for another user than the server's socket lets in, and for broken networks. */
export async function databaseProxy(url: string): Promise<DatabaseProxy> {
  const target = new URL(url);
  const host = decodeURIComponent(target.hostname);
  const port = Number(target.port === '' ? 5432 : target.port);
  const sockets = new Set<Socket>();
  let swallowing = false;
  const server = createServer((inner) => {
    const outer = host.startsWith('/') ? connect(`${host}/.s.PGSQL.5432`) : connect(port, host);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          inner.destroy();
          outer.destroy();
        });
    }
    inner.on('data', (bytes) => swallowing || outer.write(bytes));
    outer.on('data', (bytes) => swallowing || inner.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  const close = async (): Promise<void> => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: target.href, cut, swallow: (yes) => void (swallowing = yes), close };
}
