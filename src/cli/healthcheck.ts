import http from 'node:http';
import https from 'node:https';
import { env } from 'node:process';
import { loadConfig } from '../config.ts';
import { urlOf } from './serve/listen-on.ts';

/** For HEALTHCHECK: exit status 0 when the broker of these settings answers /livez. Its certificate names the public host, not the loopback address. */
const { listen, tls } = loadConfig(env);
const url = `${urlOf(listen, tls !== null)}/livez`;
const request = tls === null ? http.get(url, { timeout: 3_000 }) : https.get(url, { timeout: 3_000, rejectUnauthorized: false });
request
  .on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
