import { readFileSync } from 'node:fs';

export interface Instruction {
  readonly word: string;
  readonly rest: string;
}
export interface Stage {
  readonly from: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}
/** The stages of the Dockerfile; lines that end in a backslash are joined. */
export function stages(): readonly Stage[] {
  const lines = readFileSync('Dockerfile', 'utf8').replaceAll(/\\\n\s*/g, '').split('\n').filter((line) => /^[A-Z]+ /.test(line)); // prettier-ignore
  const found: { from: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (word === 'FROM') found.push({ from: rest.split(' ')[0] ?? '', name: /AS (\S+)/.exec(rest)?.[1], instructions: [] });
    else found.at(-1)?.instructions.push({ word, rest });
  }
  return found;
}
export const all = (stage: Stage | undefined, word: string): readonly string[] =>
  (stage?.instructions ?? []).filter((each) => each.word === word).map(({ rest }) => rest);
export const last = (stage: Stage | undefined, word: string): string => all(stage, word).at(-1) ?? '';

/** `ENV a=b c=d` */
export const environmentOf = (stage: Stage | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    all(stage, 'ENV').flatMap((rest) => [...rest.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])),
  );
/** `CMD ["node", "x"]`, also behind HEALTHCHECK's options. */
export const commandOf = (text: string): readonly string[] => JSON.parse(text.slice(text.indexOf('['))) as string[];
