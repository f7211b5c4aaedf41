import { describe, expect, test } from 'vitest';
import { BrokerError } from '../kernel/errors.ts';
import { explained } from './explain.ts';
import { NeverConnected, visibleFailure } from './failures.ts';

const url = 'postgres://broker:s3cret@db.example.com:6543/orders';
const saying = (error: unknown, at = url): string => {
  const found = explained(error, at);
  return found instanceof Error ? found.message : String(found);
};
const failure = (code: string, message = 'said by the server'): Error => Object.assign(new Error(message), { code });

describe('a database that cannot be used', () => {
  test.each([
    ['ECONNREFUSED', 'nothing listens at db.example.com:6543: start PostgreSQL'],
    ['ENOTFOUND', 'the host of db.example.com:6543 is not known'],
    ['ETIMEDOUT', 'db.example.com:6543 does not answer'],
    ['3D000', 'there is no database "orders" at db.example.com:6543: create it'],
    ['28P01', 'db.example.com:6543 refuses the password of user "broker"'],
    ['28000', 'db.example.com:6543 does not let the broker in (said by the server)'],
    ['42501', 'user "broker" may not do that in database "orders"'],
    ['25006', 'is a standby'],
  ])('is explained by %s, with place and fix and without the password', (code, sentence) => {
    for (const error of [failure(code), visibleFailure(new NeverConnected('none', { cause: failure(code) }))]) {
      expect(saying(error)).toContain(`DATABASE_URL: `);
      expect(saying(error)).toContain(sentence);
      expect(saying(error)).not.toContain('s3cret');
    }
  });
  test('is explained where a password is missing, and where a socket is', () => {
    const sasl = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string');
    expect(saying(sasl)).toContain('asks for a password of user "broker"');
    expect(saying(failure('ENOENT'), 'postgres:///orders?host=%2Frun%2Fpg')).toContain('no socket of PostgreSQL at /run/pg');
  });
  test('stays as it is where nobody knows better', () => {
    const error = new BrokerError('internal', 'the database was migrated by a newer Meshbroker');
    expect(explained(error, url)).toBe(error);
  });
});
