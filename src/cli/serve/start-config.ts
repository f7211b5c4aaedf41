import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Config, Environment } from '../../config.ts';
import { loadConfig, settingPaths, wrongSettings } from '../../config.ts';
import { BrokerError } from '../../kernel/errors.ts';
import type { PathKind } from '../../settings.ts';

/** The settings of a broker that is to start; BrokerError `bad-request` names every wrong one and its fix, files included. Writes nothing. */
export async function startConfig(environment: Environment): Promise<Config> {
  const problems = [...wrongSettings(environment), ...(await wrongPaths(environment))];
  if (problems.length > 0) throw new BrokerError('bad-request', problems.join('\n'));
  return loadConfig(environment);
}

/** What is wrong with the files and directories that settings name: each a line with its fix. */
export async function wrongPaths(environment: Environment): Promise<readonly string[]> {
  const paths = settingPaths(environment);
  const found = await Promise.all(
    paths.map(async ({ env, path, kind }) => {
      const why = await whyNot[kind](path);
      return why === undefined ? [] : [`${env}=${path}: ${why}`];
    }),
  );
  return found.flat();
}

const whyNot: Readonly<Record<PathKind, (path: string) => Promise<string | undefined>>> = {
  directory: async (path) => {
    const entry = await stat(path).catch(() => undefined);
    if (entry === undefined)
      return 'there is no such directory: create it with an offering file in it (docs/offerings.md), or correct the path';
    return entry.isDirectory() ? undefined : 'is no directory: give the directory that the offering files are in';
  },
  certificate: (path) =>
    whyNotPem(path, (text) => new X509Certificate(text), 'holds no certificate: give a PEM file that begins with BEGIN CERTIFICATE'),
  'private key': (path) =>
    whyNotPem(path, (text) => createPrivateKey(text), 'holds no private key that can be read: give a PEM file, not encrypted'),
};
async function whyNotPem(path: string, parse: (text: string) => unknown, why: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return "cannot be read: give a PEM file that the broker's user may read";
  }
  try {
    parse(text);
    return undefined;
  } catch {
    return why;
  }
}
