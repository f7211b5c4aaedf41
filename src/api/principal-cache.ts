import { hash } from 'node:crypto';
import type { Authenticated } from '../access/authentication.ts';
import type { Principal } from '../access/principal.ts';

/**
 * Good credentials of the last seconds, by the hash of their Authorization header. Bounded in number and time and emptied at
 * every change of access, so that a revoked credential is refused at once here and within the time limit wherever a notice was lost.
 */
export class PrincipalCache {
  readonly #entries = new Map<string, { readonly principal: Principal; readonly until: number }>();
  readonly #limits: { readonly entries: number; readonly ttlMs: number };
  #generation = 0;
  constructor(limits: { readonly entries: number; readonly ttlMs: number } = { entries: 1_024, ttlMs: 10_000 }) {
    this.#limits = limits;
  }

  /** Changes with every flush: what was looked up before it is not kept after it. */
  get generation(): number {
    return this.#generation;
  }
  get(header: string): Principal | undefined {
    if (header === '') return undefined;
    const entry = this.#entries.get(keyOf(header));
    return entry !== undefined && entry.until > performance.now() ? entry.principal : undefined;
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
  }
}
const keyOf = (header: string): string => hash('sha256', header, 'base64');
