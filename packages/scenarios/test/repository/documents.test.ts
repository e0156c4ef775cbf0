import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { CLEAN, ROOT, runScript } from './script.ts';

it.each(['configuration', 'errors', 'metrics'])('docs/%s.md says what the sources say', (name) => {
  expect(runScript(name, '--check')).toEqual(CLEAN);
});

it('dashboards ask for metrics that there are, and are what the sources make', () => {
  expect(runScript('dashboards', '--check')).toEqual(CLEAN);
});

const PAGES = globSync(['README.md', 'CONTRIBUTING.md', 'docs/**/*.md', 'helm/fosp/*.md'], { cwd: ROOT });

/** In Markdown, without those to other hosts and within the page. */
const LINK = /\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g;

it.each(PAGES)('links in %s lead somewhere', (page) => {
  const targets = [...readFileSync(join(ROOT, page), 'utf8').matchAll(LINK)].map((match) => match[1] ?? '');
  const broken = targets.filter((target) => !existsSync(join(ROOT, dirname(page), decodeURIComponent(target))));
  expect(broken).toEqual([]);
});

it('says of every dependency why it is there', () => {
  const decision = readFileSync(join(ROOT, 'docs/adr/0006-dependencies.md'), 'utf8');
  const declared = globSync(['package.json', 'helm/package.json', '{packages,services}/*/package.json'], {
    cwd: ROOT,
  }).flatMap((path) => {
    const manifest: Partial<Record<string, object>> = JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
    return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind] ?? {}),
    );
  });
  const named = new Set(Array.from(decision.matchAll(/`([^`]+)`/g), (match) => match[1]));
  expect([...new Set(declared)].filter((name) => !name.startsWith('@fosp/') && !named.has(name))).toEqual([]);
});

it('lists every decision', () => {
  const list = readFileSync(join(ROOT, 'docs/adr/README.md'), 'utf8');
  const decisions = globSync('docs/adr/0*.md', { cwd: ROOT }).map((path) => basename(path));
  expect(decisions.filter((file) => !list.includes(`(${file})`))).toEqual([]);
});
