import { describe, expect, test } from 'vitest';
import { loadConfig, settingLines } from './config.ts';

const refusal = (environment: Record<string, string>): string => {
  try {
    loadConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};
describe('settings', () => {
  test('have a value for everything on a fresh machine', () => {
    const config = loadConfig({});
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8080 });
    expect(config.secretFile).toBe(`${process.cwd()}/.meshbroker/secret`);
    expect(config.mesh).toMatchObject({ driver: 'gitops', gitops: { directory: `${process.cwd()}/.meshbroker/mesh`, remote: null } });
    expect(config.catalog.directory).toMatch(/\/examples\/bookinfo$/);
    expect(config.unknown).toEqual([]);
  });
  test('follow the data directory unless they say otherwise', () => {
    const config = loadConfig({ MESHBROKER_DATA_DIR: '/var/lib/broker', MESHBROKER_GITOPS_DIR: '/tree' });
    expect([config.secretFile, config.mesh.gitops.directory]).toEqual(['/var/lib/broker/secret', '/tree']);
  });
  test('that are wrong are all told at once, each with its fix and no secret', () => {
    const text = refusal({ MESHBROKER_LISTEN: '8080', MESHBROKER_MESH: 'kubernetes', MESHBROKER_PLATFORM: 'hunter2', DATABASE_URL: 'mysql://u:hunter2@h/d', MESHBROKER_KEEP_TOMBSTONES_HOURS: '1' }); // prettier-ignore
    expect(text.split('\n')).toHaveLength(5);
    expect(text).toContain('MESHBROKER_LISTEN=8080: give host:port');
    expect(text).toContain('MESHBROKER_MESH=kubernetes: give one of gitops, memory');
    expect(text).toContain('MESHBROKER_KEEP_TOMBSTONES_HOURS=1: give a whole number from 72');
    expect(text).not.toContain('hunter2');
  });
  test.each([
    [{ MESHBROKER_TLS_CERT: '/c.pem' }, 'MESHBROKER_TLS_CERT=/c.pem: goes with MESHBROKER_TLS_KEY: set that too'],
    [{ MESHBROKER_TLS_KEY: '/k.pem', MESHBROKER_LISTEN: 'x' }, 'MESHBROKER_TLS_KEY=/k.pem: goes with MESHBROKER_TLS_CERT: set that too'],
    [{ MESHBROKER_TRUST_DOMAIN: 'a.b', MESHBROKER_BINDING_TRUST_DOMAIN: 'a.b' }, 'give another domain'],
    [{ MESHBROKER_GATEWAY_HOST_PATTERN: 'osb.example.com' }, '{binding}'],
    [{ MESHBROKER_GATEWAY_NAMESPACE: 'istio-system' }, 'run the gateway in another namespace'],
    [{ MESHBROKER_TRUST_PROXY: 'yes' }, 'give false, true'],
    [{ MESHBROKER_PUBLIC_URL: 'ftp://x' }, 'https://broker.example.com'],
  ])('%o is refused', (environment, fix) => expect(refusal(environment as Record<string, string>)).toContain(fix));
  test.each(['12/3', '12#3', 'a/b', 'a#b', 'a%zz', '12/3@4'])('refuse a database whose password is %s and not escaped', (password) => {
    const text = refusal({ DATABASE_URL: `postgres://broker:${password}@db:5432/orders` });
    expect(text).toContain('written %40 %2F %23 %25, or leave the password to PGPASSWORD');
    expect(text).not.toContain(password);
  });
  test('that nobody reads are named with what was meant, but for what Kubernetes sets itself', () => {
    expect(
      loadConfig({ MESHBROKER_LISTENS: 'x', MESHBROKER_SERVICE_HOST: '10.0.0.1', MESHBROKER_PORT: 'tcp://10.0.0.1:80' }).unknown,
    ).toEqual(['MESHBROKER_LISTENS (did you mean MESHBROKER_LISTEN?)']);
  });
  test('are shown without their secrets', () => {
    const lines = settingLines({ MESHBROKER_ADMIN_TOKEN: 'hunter2', MESHBROKER_MESH: 'memory' });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(lines.find(({ env }) => env === 'MESHBROKER_MESH')).toMatchObject({ given: 'memory', fallback: 'gitops' });
  });
  test('choose what a missing version and a finished deletion are answered', () => {
    expect(loadConfig({}).osb).toEqual({ missingApiVersion: 412, lastOperationAfterDelete: 'succeeded' });
    const given = { MESHBROKER_OSB_MISSING_VERSION: '400', MESHBROKER_OSB_LAST_OPERATION_AFTER_DELETE: 'gone' };
    expect(loadConfig(given).osb).toEqual({ missingApiVersion: 400, lastOperationAfterDelete: 'gone' });
    expect(loadConfig({ MESHBROKER_OSB_MISSING_VERSION: 'accept' }).osb.missingApiVersion).toBe('accept');
    expect(refusal({ MESHBROKER_OSB_MISSING_VERSION: '200' })).toContain('give one of 412, 400, accept');
  });
  test('take a list of labels, an IPv6 address and a database behind a socket', () => {
    const config = loadConfig({
      MESHBROKER_GATEWAY_SELECTOR: 'istio=ingress,zone=a',
      MESHBROKER_LISTEN: '[::1]:0',
      DATABASE_URL: 'postgres://u@%2Frun%2Fpostgresql/d',
    });
    expect(config.mesh.settings.gateway.selector).toEqual({ istio: 'ingress', zone: 'a' });
    expect(config.listen).toEqual({ host: '::1', port: 0 });
    expect(config.database.url).toBe('postgres://u@%2Frun%2Fpostgresql/d');
  });
});
