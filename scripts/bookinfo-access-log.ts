/**
 * Makes examples/bookinfo/access-log/*.log: what the proxies of `reviews` would log in ten seconds of Bookinfo, in the JSON format of our
 * own telemetry. Always the same bytes. `node scripts/bookinfo-access-log.ts`
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';

const directory = new URL('../examples/bookinfo/access-log/', import.meta.url);
const start = Date.parse('2026-11-23T09:00:00.000Z');
const callers = [
  { principal: 'spiffe://mesh.example.com/ns/bookinfo/sa/bookinfo-productpage', agent: 'productpage', every: 1 },
  { principal: 'spiffe://bindings.example.com/ns/org-demo/sa/recorded', agent: 'nightly-report/1', every: 3 },
  { principal: 'spiffe://mesh.example.com/ns/batch/sa/nightly', agent: 'curl/8', every: 9 },
];
let drawn = 0;
const next = (below: number): number => createHash('sha256').update(String(drawn++)).digest().readUInt32BE() % below;
const lines = new Map<string, string[]>([
  ['v1', []],
  ['v2', []],
  ['v3', []],
]);
for (let n = 0; n < 240; n += 1) {
  for (const { principal, agent, every } of callers) {
    if (n % every !== 0) continue;
    const version = next(10) === 0 ? 'v3' : next(2) === 0 ? 'v1' : 'v2';
    const refused = agent === 'curl/8';
    const limited = agent === 'nightly-report/1' && n % 60 === 57;
    const code = refused ? 403 : limited ? 429 : 200;
    const id = createHash('sha256').update(`${principal} ${n}`).digest('hex');
    const requestId = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join('-');
    lines.get(version)?.push(
      JSON.stringify({
        attempts: code === 200 ? 1 : 0,
        authority: 'reviews.bookinfo.svc.cluster.local:9080',
        bytes_received: 0,
        bytes_sent: code === 200 ? 295 + next(140) : code === 403 ? 19 : 18,
        destination_principal: 'spiffe://mesh.example.com/ns/bookinfo/sa/bookinfo-reviews',
        duration: 2 + next(30),
        method: 'GET',
        path: `/reviews/${next(4)}`,
        policy: null,
        protocol: 'HTTP/1.1',
        request_id: requestId,
        response_code: code,
        response_code_details: refused ? 'rbac_access_denied_matched_policy[none]' : limited ? 'local_rate_limited' : 'via_upstream',
        response_flags: limited ? 'RL' : '-',
        route_name: 'default',
        source_principal: principal,
        start_time: new Date(start + n * 41 + next(20)).toISOString(),
        stream_id: requestId,
        upstream_cluster: 'inbound|9080||;',
        user_agent: agent,
        verdict: null,
      }),
    );
  }
}
mkdirSync(directory, { recursive: true });
for (const [version, text] of lines) writeFileSync(new URL(`reviews-${version}.log`, directory), `${text.join('\n')}\n`);
