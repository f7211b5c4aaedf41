import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { loadConfig, settingLines } from '../../src/config.ts';
import { all, commandOf, environmentOf, last, stages } from './dockerfile.ts';

const image = stages();
const final = image.at(-1);
const settings = new Set(settingLines({}).map(({ env }) => env));
const toSource = (file: string): string => file.replace(/^dist\//, '').replace(/\.js$/, '.ts');

describe('the Dockerfile', () => {
  test('builds in stages of one pinned line of Node, on glibc', () => {
    expect(image.length).toBeGreaterThan(1);
    expect(new Set(image.map(({ from }) => from))).toEqual(new Set(['${NODE_IMAGE}']));
    expect(readFileSync('Dockerfile', 'utf8')).toMatch(/^ARG NODE_IMAGE=node:24-bookworm-slim$/m);
  });
  test('runs no install scripts and leaves what is for development behind', () => {
    const installs = image.flatMap((stage) => all(stage, 'RUN')).filter((run) => run.includes('npm ci'));
    expect(installs.length).toBeGreaterThan(0);
    for (const install of installs) expect(install).toContain('--ignore-scripts');
    const copied = all(final, 'COPY').filter((copy) => copy.includes('node_modules'));
    expect(copied).toHaveLength(1);
    const from = image.find(({ name }) => name === /--from=(\S+)/.exec(copied[0] ?? '')?.[1]);
    expect(all(from, 'RUN').join()).toContain('--omit=dev');
  });
  test('copies what exists and is let in by .dockerignore', () => {
    const letIn = readFileSync('.dockerignore', 'utf8').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1)); // prettier-ignore
    const sources = image.flatMap((stage) => all(stage, 'COPY')).filter((copy) => !copy.startsWith('--from')).flatMap((copy) => copy.split(/\s+/).slice(0, -1)); // prettier-ignore
    for (const source of sources) {
      expect(existsSync(source), `${source} exists`).toBe(true);
      expect(letIn, `${source} is let in`).toContain(source);
    }
    expect(sources).toEqual(expect.arrayContaining(['openapi', 'schemas', 'examples', 'bin', 'LICENSE']));
  });
  test('runs as a user without name or privileges, and writes below its volume only', () => {
    expect(last(final, 'USER')).toBe('65532:65532');
    const environment = environmentOf(final);
    expect(last(final, 'VOLUME')).toBe(environment['MESHBROKER_DATA_DIR']);
    const config = loadConfig(environment);
    for (const path of [config.secretFile, config.mesh.gitops.directory]) expect(path).toMatch(/^\/data\//);
    expect(config.listen).toEqual({ host: '0.0.0.0', port: Number(last(final, 'EXPOSE')) });
    const words = final?.instructions.map(({ word }) => word) ?? [];
    expect(words.slice(words.indexOf('USER') + 1)).not.toContain('RUN');
  });
  test('starts and checks its health by programs of its own, without a shell or curl', () => {
    const start = commandOf(last(final, 'CMD'));
    const health = commandOf(last(final, 'HEALTHCHECK'));
    for (const command of [start, health]) {
      expect(command[0]).toBe('node');
      expect(existsSync(toSource(command.at(-1) ?? '')), command.join(' ')).toBe(true);
    }
    expect(last(final, 'STOPSIGNAL')).toBe('SIGTERM');
  });
});

interface Service {
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly read_only: boolean;
  readonly user?: string;
  readonly volumes: readonly string[];
  readonly tmpfs: readonly string[];
  readonly ports?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
}
const compose = load(readFileSync('docker-compose.yml', 'utf8')) as {
  services: { postgres: Service; meshbroker: Service };
  volumes: Record<string, unknown>;
};
const { postgres, meshbroker } = compose.services;
/** `${NAME:-fallback}` as docker compose puts it in when nothing is set. */
const filled = (text: string): string => text.replaceAll(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1');
const variables = (text: string): string[] => [...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);

describe('docker-compose.yml', () => {
  test('starts PostgreSQL 18 first, and the broker when it is healthy', () => {
    expect(postgres.image).toBe('postgres:18');
    expect(meshbroker.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(postgres.healthcheck.test[1]).toBe('pg_isready');
    expect(meshbroker.healthcheck.test.slice(1)).toEqual(commandOf(last(final, 'HEALTHCHECK')));
  });
  test('gives both a root that cannot be written, and keeps their data', () => {
    for (const service of [postgres, meshbroker]) {
      expect(service.read_only).toBe(true);
      expect(service.security_opt).toContain('no-new-privileges:true');
      expect(service.tmpfs).toContain('/tmp');
      for (const volume of service.volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
    }
    expect(meshbroker.volumes.map((volume) => volume.split(':')[1])).toEqual([last(final, 'VOLUME')]);
    expect([meshbroker.user, meshbroker.cap_drop]).toEqual([last(final, 'USER'), ['ALL']]);
  });
  test('is reached from this host only, and has longer to stop than the broker takes', () => {
    expect(postgres.ports).toBeUndefined();
    for (const port of meshbroker.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(Number.parseInt(meshbroker.stop_grace_period ?? '0', 10)).toBeGreaterThan(20);
  });
  test('sets only what there is, and starts without a file .env', () => {
    for (const name of Object.keys(meshbroker.environment)) expect([...settings, 'PGPASSWORD'], name).toContain(name);
    const environment = Object.fromEntries(Object.entries(meshbroker.environment).map(([name, value]) => [name, filled(value)]));
    const config = loadConfig({ ...environmentOf(final), ...environment });
    expect(new URL(config.database.url ?? '').password).toBe('');
    expect(meshbroker.environment['PGPASSWORD']).toBe(postgres.environment['POSTGRES_PASSWORD']);
    expect(config.access.platform).toBeNull();
  });
  test('puts nothing that somebody sets into a URL, where it would have to be escaped', () => {
    for (const [name, value] of Object.entries(meshbroker.environment)) expect(value, name).not.toMatch(/.\$\{|\}./);
  });
  test('.env.example names every variable that it takes, and no other', () => {
    const named = [...readFileSync('.env.example', 'utf8').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name = '']) => name);
    const taken = Object.values({ ...postgres.environment, ...meshbroker.environment }).flatMap(variables);
    expect(named.sort()).toEqual([...new Set(taken)].sort());
  });
});

test('what is installed without development packages is what the program imports', () => {
  const imported = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) => [...readFileSync(`src/${file}`, 'utf8').matchAll(/(?:from|import|import\() ?'((?:@[^'/]+\/)?[^'/.:]+)[^':]*'/g)])
    .map(([, name]) => name);
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  expect(Object.keys(dependencies).filter((name) => !imported.includes(name))).toEqual([]);
});
test('package-lock.json pins every package by sha512 to the registry, under its own name', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { integrity?: string; resolved?: string; link?: boolean; name?: string }>;
  };
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
  expect(packages.length).toBeGreaterThan(100);
  for (const [path, { integrity, resolved, link, name }] of packages) {
    expect(integrity, path).toMatch(/^sha512-/);
    expect([resolved, link, name], path).toEqual([undefined, undefined, undefined]);
  }
});
