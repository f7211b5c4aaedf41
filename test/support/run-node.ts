import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

export interface RunningNode {
  readonly child: ChildProcess;
  /** Everything on standard output and error so far. */
  readonly said: () => string;
  /** Resolves when the text was said; rejects when the process ended before, or after `ms`. */
  readonly saying: (text: string, ms?: number) => Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}
/** A process of this Node. Only what `environment` says is set, beside PATH and HOME. */
export function runNode(args: readonly string[], environment: Readonly<Record<string, string>> = {}, cwd = process.cwd()): RunningNode {
  return watch(spawn(process.execPath, [...args], { cwd, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment } }));
}
export function watch(child: ChildProcess): RunningNode {
  let text = '';
  let told = (): void => undefined;
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      told();
    });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) =>
    void child.once('error', reject).once('close', (code, signal) => resolve({ code, signal })),
  ); // prettier-ignore
  const saying = (wanted: string, ms = 20_000): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${JSON.stringify(wanted)} was not said within ${ms} ms, but:\n${text}`)), ms);
      told = () => {
        if (!text.includes(wanted)) return;
        clearTimeout(late);
        resolve();
      };
      told();
      void ended.then(({ code, signal }) => {
        clearTimeout(late);
        reject(new Error(`it ended (${code ?? signal ?? ''}) before it said ${JSON.stringify(wanted)}:\n${text}`));
      });
    });
  return { child, said: () => text, saying, ended };
}
