import { settingLines } from '../src/config.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/configuration.md */
export function settingsPage(): string {
  const lines = settingLines({});
  const groups = [...new Set(lines.map(({ group }) => group))];
  const table = (group: string): string =>
    lines
      .filter((line) => line.group === group)
      .map(({ env, fallback, description, secret }) => {
        const shown = fallback === null ? '' : fallback === '' ? '' : `\`${fallback.replace('{package}/', '')}\``;
        return `| \`${env}\` | ${shown} | ${cell(description)}${secret ? ' Secret: never printed.' : ''} |`;
      })
      .join('\n');
  return `# Configuration

Made by \`npm run generate\` from \`src/settings.ts\`; \`npx meshbroker config\` prints the same table with what is set where you are.

Every setting is an environment variable; an empty one counts as unset. A start with wrong settings names all of them at once, each
with its fix, and changes nothing. Relative paths are taken from where the broker is started.
${groups.map((group) => `\n## ${group}\n\n| Setting | Default | Meaning |\n| --- | --- | --- |\n${table(group)}\n`).join('')}`;
}
