import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabase } from '../support/database.ts';
import { emptyFolder, failingStart, meshbroker } from './command-line.ts';

/** Asks for the password in clear, remembers what it gets, and refuses it. */
async function refusingServer(): Promise<{ readonly port: number; readonly passwords: string[]; readonly close: () => void }> {
  const passwords: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      if (data[0] !== 0x70) return void socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
      passwords.push(data.subarray(5, -1).toString());
      const fields = Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed\0\0');
      const head = Buffer.from([0x45, 0, 0, 0, fields.length + 4]);
      return void socket.end(Buffer.concat([head, fields]));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, passwords, close: () => void server.close() };
}
async function closedPort(): Promise<number> {
  const { port, close } = await refusingServer();
  close();
  return port;
}

describe('a database that cannot be used', { timeout: 60_000 }, () => {
  let folder: Awaited<ReturnType<typeof emptyFolder>>;
  beforeAll(async () => {
    folder = await emptyFolder();
  });
  afterAll(() => folder.remove());
  const lineOf = (said: string, name: string): string => said.split('\n').find((line) => line.startsWith(name)) ?? said;

  test('is told by start and doctor with what is wrong; doctor goes on with all the rest', async () => {
    const port = await closedPort();
    const settings = { DATABASE_URL: `postgres://broker:s3cret@127.0.0.1:${port}/orders` };
    const sentence = `DATABASE_URL: nothing listens at 127.0.0.1:${port}: start PostgreSQL, or correct host and port in DATABASE_URL`;
    expect(await failingStart(folder.path, settings)).toEqual({ code: 1, said: `Meshbroker does not start:\n  ${sentence}\n` });
    expect(await meshbroker(folder.path, ['migrate'], settings)).toEqual({ code: 1, said: `${sentence}\n` });
    const { code, said } = await meshbroker(folder.path, ['doctor'], settings);
    expect(code).toBe(1);
    expect(lineOf(said, 'database')).toMatch(/^database +wrong +DATABASE_URL: nothing listens at /);
    expect(lineOf(said, 'secret')).toMatch(/^secret +note +not checked: .*secret is missing/);
    expect(lineOf(said, 'clock')).toMatch(/^clock +note +not checked: /);
    expect(lineOf(said, 'mesh')).toMatch(/^mesh +ok +.*is made at the first start/);
    expect(lineOf(said, 'catalogue')).toMatch(/^catalogue +ok /);
    expect(said).not.toContain('s3cret');
  });
  test('that does not exist is named', async () => {
    const { url, drop } = await freshDatabase();
    await drop();
    const name = new URL(url).pathname.slice(1);
    for (const said of [
      (await failingStart(folder.path, { DATABASE_URL: url })).said,
      (await meshbroker(folder.path, ['doctor'], { DATABASE_URL: url })).said,
    ])
      expect(said).toContain(`there is no database "${name}" at `);
  });
  test('gets the password of PGPASSWORD as it is; one that is refused is never shown', async () => {
    const server = await refusingServer();
    const password = 'p@ss/#?%zz:1';
    const at = `127.0.0.1:${server.port}`;
    const { said } = await failingStart(folder.path, { DATABASE_URL: `postgres://broker@${at}/orders`, PGPASSWORD: password });
    expect(server.passwords[0]).toBe(password);
    expect(said).toContain(`${at} refuses the password of user "broker"`);
    expect(said).not.toContain(password);
    server.close();
  });
});
