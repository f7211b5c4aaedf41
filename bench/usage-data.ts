import { randomUUID } from 'node:crypto';
import { reference } from '../src/kernel/ids.ts';
import type { Attribution } from '../src/usage/attribution.ts';

const consumers = 500;
const servicesOfEach = 4;
const services = 40;
export const bindings = consumers * servicesOfEach;

/** 500 consumers, each with four of 40 services. */
export function bindingNumber(n: number): Attribution {
  const consumer = Math.floor(n / servicesOfEach);
  const service = (consumer + (n % servicesOfEach) * 10) % services;
  return {
    bindingRef: reference('bench', String(n)),
    lineageId: `lineage-${n}`,
    instanceRef: reference('bench instance', String(n)),
    platformId: '00000000-0000-4000-8000-00000000000a',
    organization: `org-${consumer % 20}`,
    offeringId: `offering-${service}`,
    offeringName: `service-${service}`,
    planId: `plan-${service}`,
    planName: 'standard',
    consumer: `team-${consumer % 50}/app-${consumer}`,
    principal: `spiffe://mesh.example.com/ns/team-${consumer % 50}/sa/app-${consumer}`,
    hosts: [`service-${service}.shop.svc.cluster.local`],
  };
}
const all = Array.from({ length: bindings }, (_, n) => bindingNumber(n));

/** JSON text of a batch as `usage import` posts it: live traffic of the last minute, every key new. */
export function batchText(events: number, now: number): Buffer {
  const texts = Array.from({ length: events }, (_, n) => {
    const { principal, hosts, bindingRef } = all[(n * 7919) % bindings] ?? bindingNumber(0);
    return JSON.stringify({
      specversion: '1.0',
      id: randomUUID(),
      source: 'urn:meshbroker:access-log',
      type: 'dev.meshbroker.request.v1',
      time: new Date(now - (n % 60_000)).toISOString(),
      data: {
        principal,
        host: hosts[0],
        code: n % 97 === 0 ? 429 : 200,
        request_bytes: n % 1_000,
        response_bytes: (n * 31) % 100_000,
        policy: `${bindingRef}.standard`,
        port: 9080,
        protocol: 'HTTP/1.1',
      },
    });
  });
  return Buffer.from(`[${texts.join(',')}]`);
}
/** The same rows as the ledger's, as text for COPY into a table without an index. */
export function copyText(events: number, now: number): Buffer {
  const time = new Date(now).toISOString();
  const row = (n: number): string => [time, 1, n % 1_000, (n * 31) % 100_000, 17, randomUUID(), 1, n % bindings, n, 1].join('\t');
  return Buffer.from(`${Array.from({ length: events }, (_, n) => row(n)).join('\n')}\n`);
}
