import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CLEAN, ROOT, runScript } from './script.ts';

interface Capability {
  readonly id: string;
}

const groups: readonly { readonly capabilities: readonly Capability[] }[] = JSON.parse(
  readFileSync(`${ROOT}docs/capabilities.json`, 'utf8'),
);

describe('the spec map', () => {
  it('has every capability of the draft', () => {
    const ids = groups.flatMap(({ capabilities }) => capabilities.map(({ id }) => id));
    expect(ids).toEqual(Array.from({ length: 70 }, (_, index) => `F${index + 1}`));
  });

  it('is what the names of the tests make of it, and every capability has a test', () => {
    expect(runScript('spec-map', '--check')).toEqual(CLEAN);
  });
});

/** Not written out, or this file would count as a test of it. */
const id = (number: number) => `F${number}`;

const entry = (number: number, rest: object = {}) => ({
  id: id(number),
  title: `the ${number}`,
  draft: ['1'],
  protocol: ['2'],
  sources: ['packages/a/src/a.ts'],
  ...rest,
});

const folders: string[] = [];

/** A repository of two capabilities, one tested in each way that counts. */
function repository(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'spec-map-'));
  folders.push(folder);
  const capabilities = [entry(1), entry(2), entry(3), entry(4, { later: { until: 'tomorrow', today: 'nothing' } })];
  const all = {
    'docs/capabilities.json': JSON.stringify([{ name: 'All', capabilities }]),
    'docs/spec-map.md': '# Map\n\n<!-- made: map -->\n<!-- end: map -->\n',
    'packages/a/src/a.ts': '',
    'packages/a/fixtures/cases.json': `[{"name": "${id(2)} by a fixture"}]`,
    'packages/a/test/a.test.ts': `it('${id(1)} is shown', () => run('cases.json'));`,
    'packages/conformance/src/cases/a.ts': `const a = { covers: ['${id(3)}'] };`,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true });
  }
});

describe('making the spec map', () => {
  it('finds ids in titles, fixtures and cases, and then has nothing to complain of', () => {
    const root = repository();
    expect(runScript('spec-map', '--root', root)).toEqual(CLEAN);
    expect(runScript('spec-map', '--root', root, '--check')).toEqual(CLEAN);
    const map = readFileSync(join(root, 'docs/spec-map.md'), 'utf8');
    expect(map).toContain(
      `| ${id(1)} | the 1 | §1 | §2 | [a/a](../packages/a/src/a.ts) | [a/a](../packages/a/test/a.test.ts) |`,
    );
    expect(map).toContain('[a/fixtures/cases.json](../packages/a/fixtures/cases.json)');
    expect(map).toContain('[conformance/cases/a](../packages/conformance/src/cases/a.ts)');
    expect(map).toContain('the 4. **Not yet (tomorrow).** Today: nothing');
  });

  it('complains of a map that was not made again', () => {
    const root = repository();
    runScript('spec-map', '--root', root);
    const more = join(root, 'packages/a/test/b.test.ts');
    writeFileSync(more, `describe("${id(1)} ${id(2)} and more", () => {});`);
    const outcome = runScript('spec-map', '--root', root, '--check');
    expect(outcome).toEqual({ status: 1, faults: [expect.stringContaining('docs/spec-map.md is out of date')] });
  });

  it.each([
    ['a capability without a test', { 'packages/a/test/a.test.ts': "it('cases.json')" }, `no test has ${id(1)}`],
    ['a fixture that nobody runs', { 'packages/a/test/a.test.ts': `it('${id(1)} x')` }, `no test has ${id(2)}`],
    [
      'an id that is no capability',
      { 'packages/a/test/c.test.ts': `it(\`${id(71)} \${x}\`)` },
      `${id(71)} is no capability`,
    ],
    [
      'a source file that does not exist',
      {
        'docs/capabilities.json': JSON.stringify([
          { name: 'All', capabilities: [entry(1, { sources: ['gone.ts'] }), entry(2), entry(3)] },
        ]),
      },
      'names gone.ts',
    ],
    [
      'a capability that is listed twice',
      {
        'docs/capabilities.json': JSON.stringify([
          { name: 'All', capabilities: [entry(1), entry(2), entry(3), entry(1)] },
        ]),
      },
      `has ${id(1)} twice`,
    ],
    ['a document without a place for the map', { 'docs/spec-map.md': '# Map\n' }, 'no place'],
  ])('complains of %s', (_, files, complaint) => {
    const { status, faults } = runScript('spec-map', '--root', repository(files));
    expect(status).toBe(1);
    expect(faults.join('\n')).toContain(complaint);
    expect(faults).toHaveLength(1);
  });
});
