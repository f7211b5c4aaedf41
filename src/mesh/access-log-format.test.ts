import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import { meshSettings } from '../../test/support/mesh-contributions.ts';
import { accessLogProvider } from './access-log-format.ts';

test('the documented extension provider is the one that Telemetry objects name', () => {
  const page = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
  const block = /```yaml\n# MeshConfig[^\n]*\n(extensionProviders:[^]*?)```/.exec(page)?.[1] ?? '';
  expect(load(block)).toEqual({ extensionProviders: [accessLogProvider(meshSettings)] });
});
