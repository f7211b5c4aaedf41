#!/usr/bin/env node
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`Meshbroker needs Node 22.19 or later, this is ${process.versions.node}: use npx meshbroker in the clone, or a newer Node`);
  process.exit(1);
}
// A clone runs its sources; the published package carries dist/ (Node strips no types below node_modules).
const sources = new URL('../src/cli/main.ts', import.meta.url);
const { run } = await import(existsSync(sources) ? sources.href : new URL('../dist/src/cli/main.js', import.meta.url).href);
await run(process.argv.slice(2), process.env);
