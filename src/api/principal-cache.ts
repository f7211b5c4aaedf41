import { hash } from 'node:crypto';
import type { Authenticated } from '../access/authentication.ts';
import type { Principal } from '../access/principal.ts';

interface Entry {
  readonly principal: Principal;
  readonly until: number;
}
/**
 * Good credentials of the last seconds, by the hash of their Authorization header. Bounded in number and time and emptied at
 * every change of access, so that a revoked credential is refused at once here and within the time limit wherever a notice was lost.
 */
export class PrincipalCache {
  readonly #entries = new Map<string, Entry>();
  #asked = new WeakMap<object, { readonly header: string; readonly entry: Entry }>();
  readonly #limits: { readonly entries: number; readonly ttlMs: number };
  #generation = 0;
  constructor(limits: { readonly entries: number; readonly ttlMs: number } = { entries: 1_024, ttlMs: 10_000 }) {
    this.#limits = limits;
  }

  /** Changes with every flush: what was looked up before it is not kept after it. */
  get generation(): number {
    return this.#generation;
  }
  /** `connection`: what asked; while it asks with the same header, that need not be hashed. */
  get(header: string, connection?: object): Principal | undefined {
    if (header === '') return undefined;
    const now = performance.now();
    const asked = connection === undefined ? undefined : this.#asked.get(connection);
    if (asked !== undefined && asked.header === header && asked.entry.until > now) return asked.entry.principal;
    const entry = this.#entries.get(keyOf(header));
    if (entry === undefined || entry.until <= now) return undefined;
    if (connection !== undefined) this.#asked.set(connection, { header, entry });
    return entry.principal;
  }
  put(header: string, found: Authenticated, generation: number): void {
    if (generation !== this.#generation) return;
    if (this.#entries.size >= this.#limits.entries) this.#entries.delete(this.#entries.keys().next().value ?? '');
    const ttlMs = Math.min(this.#limits.ttlMs, found.expiresInMs ?? Number.POSITIVE_INFINITY);
    this.#entries.set(keyOf(header), { principal: found.principal, until: performance.now() + ttlMs });
  }
  flush(): void {
    this.#generation += 1;
    this.#entries.clear();
    this.#asked = new WeakMap();
  }
}
const keyOf = (header: string): string => hash('sha256', header, 'base64');
