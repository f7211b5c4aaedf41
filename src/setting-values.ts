import { isAbsolute, resolve } from 'node:path';

/** Why a text is no value for its setting, written as the fix: "give …". */
export class WrongValue extends Error {}
export type Parse<T> = (text: string) => T;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const text: Parse<string> = (value) => value;
/** Absolute; relative paths are taken from where the broker was started. */
export const path: Parse<string> = (value) => (isAbsolute(value) ? value : resolve(value));

export const oneOf =
  <const Choice extends string>(...choices: readonly Choice[]): Parse<Choice> =>
  (value) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw new WrongValue(`give one of ${choices.join(', ')}`);
    return found;
  };
/** What a request without X-Broker-API-Version is answered: a refusal with this status, or as in the newest version. */
export const missingVersion: Parse<412 | 400 | 'accept'> = (value) => {
  const answer = oneOf('412', '400', 'accept')(value);
  return answer === 'accept' ? answer : answer === '412' ? 412 : 400;
};
export const flag: Parse<boolean> = (value) => oneOf('true', 'false')(value) === 'true';

export const whole =
  (least: number, most: number): Parse<number> =>
  (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (!(number >= least && number <= most)) throw new WrongValue(`give a whole number from ${least} to ${most}`);
    return number;
  };

export const address: Parse<Address> = (value) => {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s/]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) throw new WrongValue('give host:port, for example 127.0.0.1:8080 or [::]:8080');
  return { host, port: Number(port) };
};

export const httpUrl: Parse<string> = (value) => {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new WrongValue('give a URL such as https://broker.example.com');
  return url.href.replace(/\/+$/, '');
};

function isEscaped({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
export const postgresUrl: Parse<string> = (value) => {
  const url = URL.parse(value);
  // a password that is not escaped ends the host early, and what follows looks like a path or a fragment
  const database = /^\/[^/@]+$/;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || !database.test(url.pathname) || url.hash !== '' || !isEscaped(url))
    throw new WrongValue(
      'give postgres://user:password@host:5432/database, with @ / # % in user and password written %40 %2F %23 %25, or leave the password to PGPASSWORD (a socket folder as host is written %2Fvar%2Frun%2Fpostgresql)',
    );
  return url.href;
};

/** As express takes it. */
export const trustProxy: Parse<boolean | number | string> = (value) => {
  if (value === 'true' || value === 'false') return value === 'true';
  if (/^\d{1,2}$/.test(value)) return Number(value);
  const known = /^(?:loopback|linklocal|uniquelocal|[0-9a-fA-F.:]+(?:\/\d{1,3})?)$/;
  if (value.split(',').every((part) => known.test(part.trim()))) return value;
  throw new WrongValue('give false, true, the number of proxies in front, or their addresses: 10.0.0.0/8,loopback');
};

export interface NamedPassword {
  readonly name: string;
  readonly password: string;
}
export const userAndPassword: Parse<NamedPassword> = (value) => {
  const [, name, password] = /^([a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?):(.+)$/s.exec(value) ?? [];
  if (name === undefined || password === undefined)
    throw new WrongValue('give user:password, the user in lower-case letters, digits, dots, dashes or underscores');
  return { name, password };
};
export const token: Parse<string> = (value) => {
  if (!/^[\x21-\x7e]{1,512}$/.test(value))
    throw new WrongValue('give visible ASCII characters without spaces, for example of openssl rand -hex 32');
  return value;
};

export const trustDomain: Parse<string> = (value) => {
  if (!/^[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?$/.test(value))
    throw new WrongValue('give lower-case letters, digits, dots and dashes: mesh.example.com');
  return value;
};
export const kubernetesName: Parse<string> = (value) => {
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(value))
    throw new WrongValue('give a Kubernetes name: lower-case letters, digits, dashes');
  return value;
};
export const labels: Parse<Readonly<Record<string, string>>> = (value) => {
  const pairs = value.split(',').map((pair) => /^\s*([A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?)=([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*$/.exec(pair)); // prettier-ignore
  const known = pairs.filter((pair) => pair !== null);
  if (known.length !== pairs.length) throw new WrongValue('give labels: istio=ingressgateway,region=eu');
  return Object.fromEntries(known.map(([, name = '', label = '']) => [name, label]));
};
export const hostPattern: Parse<string> = (value) => {
  const example = value.replaceAll('{binding}', 'mb-a').replaceAll('{offering}', 'reviews');
  const valid = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(example);
  if (!valid || !value.includes('{binding}')) throw new WrongValue('give a host name with {binding} in it: {binding}.osb.example.com');
  return value;
};

export interface CrashAt {
  readonly point: string;
  readonly passing: number;
}
export const crashAt: Parse<CrashAt> = (value) => {
  const [, point, passing = '1'] = /^([A-Z]\d{1,2})(?::([1-9]\d{0,5}))?$/.exec(value) ?? [];
  if (point === undefined) throw new WrongValue('give a point and the passing: W6:2');
  return { point, passing: Number(passing) };
};
