import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { MeshObject } from './mesh-object.ts';
import { objectYaml } from './object-yaml.ts';

const objectWith = (value: string): MeshObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', namespace: 'b', labels: {}, annotations: { 'meshbroker.dev/binding-id': value, [`k${value}`]: 'x' } },
  spec: { list: [value, [value], { [`k${value}`]: [] }], [`k${value}`]: value, nothing: null, yes: true, ratio: 1e-7, many: 1e21 },
});
const hostile = [
  'yes', 'No', 'on', 'OFF', 'y', 'null', '~', 'true', '', ' ', '-', '- a', '? a', ': a', 'a: b', 'a #b', '#', '&a', '*a', '!a', '!!str a', '|', '>', '%a', '@a', '`a`',
  '0x1f', '010', '0o17', '1_000', '1e3', '.5', '.inf', '-.INF', '.nan', '12:30:45', '1:30', '2026-11-24', '2026-11-24T10:00:00Z', '=', '<<', '{a: b}', '[a]', '"', "'", '\\',
  'a\nb', 'a\n---\nb: c', '...', '--- a', '\t', 'a\tb', '\r\n', '\u0000', '\u0007', '\u001b[2J', '\u007f', '\u0085', '\u00a0', '\u2028', '\u2029', '\ufeff', '\ufffe', 'ä', '日本', '😀', '👩‍👩‍👧', '..', '../../etc',
  'a'.repeat(2_000), '__proto__', 'spiffe://mesh.example.com/ns/web/sa/frontend',
]; // prettier-ignore

test('any text survives YAML 1.2 parsers and stays one document of ASCII without tags, anchors and aliases', () => {
  const check = (value: string): void => {
    const object = objectWith(value);
    const yaml = objectYaml(object);
    expect(yaml).toMatch(/^[\n\x20-\x7e]*$/);
    expect(yaml).not.toMatch(/^(---|\.\.\.)/m);
    expect(load(yaml)).toEqual(object);
    expect(parse(yaml)).toEqual(object);
  };
  for (const value of hostile) check(value);
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), check), { numRuns: 1_000 });
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), check), { numRuns: 300 });
});

test('any text survives a YAML 1.1 parser', () => {
  for (const value of hostile.filter((text) => text.length < 1_000)) {
    const object = objectWith(value);
    expect(parse(objectYaml(object), { version: '1.1' }), value).toEqual(object);
  }
  if (spawnSync('python3', ['-c', 'import yaml']).status !== 0) return;
  const objects = [...hostile, ...fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), 300)].map(objectWith);
  const script = 'import sys,json,yaml\nprint(json.dumps([yaml.safe_load(t) for t in json.load(sys.stdin)]))';
  const answer = execFileSync('python3', ['-c', script], { input: JSON.stringify(objects.map(objectYaml)), maxBuffer: 1 << 26 });
  expect(JSON.parse(answer.toString())).toEqual(JSON.parse(JSON.stringify(objects)));
});

test('half a surrogate pair is refused: no parser keeps it', () => {
  expect(() => objectYaml(objectWith('\ud800'))).toThrow('half a surrogate pair');
});

test('equal objects are equal bytes whatever the order of their keys', () => {
  const object = objectWith('a');
  const turned = { ...object, spec: Object.fromEntries(Object.entries(object.spec).reverse()) };
  expect(objectYaml(turned)).toBe(objectYaml(object));
});
