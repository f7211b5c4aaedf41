import { randomBytes, randomUUID } from 'node:crypto';

/** The only source of randomness in the rooms; tests inject a seeded one. */
export interface Random {
  bytes(count: number): Buffer;
  uuid(): string;
  /** Uniform in [0, 1); for jitter, never for secrets. */
  fraction(): number;
}
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
};
