import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RULES, type SourceFile, violations } from './layout.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

function sources(): SourceFile[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--', 'packages', 'services'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return listed
    .split('\n')
    .filter((path) => path.endsWith('.ts') && !path.endsWith('vitest.config.ts'))
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }));
}

describe('layout', () => {
  const files = sources();

  it('has a rule for each package', () => {
    const manifests = execFileSync('git', ['ls-files', '--', '*/package.json'], { cwd: root, encoding: 'utf8' });
    const folders = manifests.split('\n').filter((path) => /^(packages|services)\/[a-z-]+\/package\.json$/.test(path));
    expect(folders.map((path) => path.replace('/package.json', '')).sort()).toEqual(Object.keys(RULES).sort());
  });

  it('holds every file to who may import whom', () => {
    expect(files.flatMap(violations)).toEqual([]);
  });

  it('keeps files short: none over 400 lines, nine in ten under 250', () => {
    const lengths = files
      .filter((file) => file.path.includes('/src/'))
      .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }));
    expect(lengths.filter(({ lines }) => lines > 400)).toEqual([]);
    expect(lengths.filter(({ lines }) => lines >= 250).length / lengths.length).toBeLessThanOrEqual(0.1);
  });

  it.each([
    ['packages/protocol/src/a.ts', "import { x } from '@fosp/bus';", 'may not import'],
    ['packages/protocol/src/a.ts', "import { readFileSync } from 'node:fs';", 'nothing of Node'],
    ['services/gateway/src/a.ts', "import { x } from '@fosp/objects';", 'may not import'],
    ['services/gateway/src/a.ts', "import type { X } from '@fosp/objects';", 'may not import'],
    ['services/gateway/src/a.ts', "import { x } from '../../objects/src/tree.ts';", 'leaves the package'],
    ['services/objects/src/a.ts', "import { x } from '@fosp/bus/src/bus.ts';", 'around the exports map'],
    ['services/objects/src/tree.ts', "import { DatabaseSync } from 'node:sqlite';", 'in one place alone'],
    ['services/objects/src/a.ts', "import { transportSuite } from '@fosp/bus/suite';", 'for tests'],
    ['services/gateway/src/a.ts', "const x = await import('@fosp/objects');", 'may not import'],
    ['packages/client/src/a.ts', "import WebSocket from 'ws';", 'in one place alone'],
    ['packages/unknown/src/a.ts', '', 'no rule'],
  ])('refuses a forbidden import: %s %s', (path, text, why) => {
    expect(violations({ path, text }).join()).toContain(why);
  });
});
