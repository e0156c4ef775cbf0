/**
 * `pnpm spec-map`: `docs/spec-map.md`, which says for each capability of the draft where it is stated, which files make it
 * and which tests show it. The first three are kept in `docs/capabilities.json`; the tests are found by the ids in their names.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type Capability, type CapabilityGroup, testsById } from './capabilities.ts';
import { commandLine, finish, table } from './document.ts';

const options = commandLine();
const groups: readonly CapabilityGroup[] = JSON.parse(readFileSync(`${options.root}docs/capabilities.json`, 'utf8'));
const capabilities = groups.flatMap((group) => group.capabilities);
const tests = testsById(options.root);

function row({ id, title, later, draft, protocol, sources }: Capability): string[] {
  const what = later === undefined ? title : `${title}. **Not yet (${later.until}).** Today: ${later.today}`;
  return [
    id,
    what,
    draft.map((section) => `§${section}`).join(', '),
    protocol.map((section) => `§${section}`).join(', '),
    links(sources),
    links(tests.get(id) ?? []),
  ];
}

function links(paths: readonly string[]): string {
  return paths.length === 0 ? '–' : paths.map((path) => `[${shortName(path)}](../${path})`).join(', ');
}

/** `packages/protocol/src/policy/rights.ts` is shown as `protocol/policy/rights`. */
function shortName(path: string): string {
  return path
    .replace(/^(packages|services)\//, '')
    .replace(/\/(src|test)\//, '/')
    .replace(/(\.test)?\.ts$/, '');
}

function faults(): string[] {
  const known = new Set(capabilities.map(({ id }) => id));
  const repeated = capabilities.filter(({ id }, index) => capabilities.findIndex((other) => other.id === id) < index);
  return [
    ...repeated.map(({ id }) => `docs/capabilities.json has ${id} twice`),
    ...capabilities.flatMap(({ id, sources }) =>
      sources
        .filter((path) => !existsSync(`${options.root}${path}`))
        .map((path) => `docs/capabilities.json names ${path} for ${id}, which does not exist`),
    ),
    ...capabilities
      .filter(({ id, later }) => later === undefined && !tests.has(id))
      .map(({ id, title }) => `no test has ${id} in its name: ${title}`),
    ...[...tests]
      .filter(([id]) => !known.has(id))
      .map(([id, paths]) => `${id} is no capability, but a test has it in its name: ${paths.join(', ')}`),
  ];
}

const head = ['id', 'what', 'draft', 'PROTOCOL', 'made by', 'shown by'];
const sections = groups.map(({ name, capabilities }) => `## ${name}\n\n${table(head, capabilities.map(row))}`);

finish(
  {
    path: 'docs/spec-map.md',
    tables: { map: sections.join('\n') },
    faults: faults(),
    command: 'npx -y pnpm@12 spec-map',
  },
  options,
);
