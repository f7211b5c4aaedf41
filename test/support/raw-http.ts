import { connect } from 'node:net';

/** Sends bytes as they are and reads until the server closes or answers enough; for requests that no client library would send. */
export function rawRequest(
  port: number,
  text: string | Buffer,
  waitMs = 2_000,
): Promise<{ readonly status: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const done = (): void => {
      socket.destroy();
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(received)?.[1];
      resolve({ status: status === undefined ? null : Number(status), text: received });
    };
    socket.setTimeout(waitMs, done);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const [head = '', body] = received.split('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (body !== undefined && !/^HTTP\/1\.1 100/.test(received) && Number(length ?? 0) <= Buffer.byteLength(body, 'latin1')) done();
    });
    socket.on('error', done);
    socket.on('close', done);
    socket.write(text);
  });
}

/** A client that sends one byte of its headers each half second; resolves when the server has had enough. */
export function trickle(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const timer = setInterval(() => socket.write('x'), 500);
    const done = (): void => {
      clearInterval(timer);
      socket.destroy();
      resolve();
    };
    socket.on('error', done).on('close', done).resume();
    socket.write('GET /v2/catalog HTTP/1.1\r\nX-Slow: ');
  });
}
