/** `pnpm values`: the tables of `helm/fosp/README.md`, from the chart's values and their schema. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { code, finish, table } from './document.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Value {
  readonly path: string;
  readonly schema: Schema;
  readonly given: unknown;
}

const chart = fileURLToPath(new URL('../helm/fosp/', import.meta.url));
const { parse }: { parse: (text: string) => unknown } = createRequire(`${chart}../package.json`)('yaml');
const schema: Schema = JSON.parse(readFileSync(`${chart}values.schema.json`, 'utf8'));
const values = parse(readFileSync(`${chart}values.yaml`, 'utf8'));
const faults: string[] = [];

function resolved({ $ref, ...own }: Schema): Schema {
  const target = $ref === undefined ? {} : (schema.definitions?.[$ref.slice('#/definitions/'.length)] ?? {});
  return { ...target, ...own };
}

/** Those that have a meaning of their own: an object counts as one where its parts are not described. */
function leaves(node: Schema, given: unknown, path: string): Value[] {
  const full = resolved(node);
  const parts = Object.entries(full.properties ?? {});
  if (parts.length === 0 || full.description !== undefined) {
    return [{ path, schema: full, given }];
  }
  return parts.flatMap(([name, part]) => leaves(part, at(given, name), path === '' ? name : `${path}.${name}`));
}

function at(given: unknown, name: string): unknown {
  return typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined;
}

function allowed({ enum: choices, type, items, minimum, maximum }: Schema): string {
  if (choices !== undefined) {
    return choices.map(String).join(', ');
  }
  switch (type) {
    case 'integer':
      return maximum === undefined
        ? `a whole number, at least ${minimum}`
        : `a whole number from ${minimum} to ${maximum}`;
    case 'boolean':
      return 'true, false';
    case 'array':
      return items?.type === 'string' ? 'a list of texts' : 'a list';
    case 'object':
      return 'a map';
    default:
      return maximum === undefined ? 'a text' : `a number from ${minimum} to ${maximum}`;
  }
}

function shown(given: unknown): string {
  return given === '' || given === undefined ? '–' : code(JSON.stringify(given));
}

function row({ path, schema: own, given }: Value): string[] {
  if (own.description === undefined && own.enum === undefined && own.type === undefined) {
    faults.push(`values.schema.json: ${path} says neither what it means nor what it may be`);
  }
  return [code(path), shown(given), allowed(own), own.description ?? ''];
}

/** One table for all services: they have the same values, though not the same defaults. */
const { services = {}, ...others } = schema.properties ?? {};
const names = Object.keys(resolved(services).properties ?? {});
const [form = {}] = Object.values(resolved(services).properties ?? {});
const ofServices = leaves(form, undefined, '').map(({ path, schema: own }) => {
  const given = names.map((name) => shown(path.split('.').reduce(at, at(at(values, 'services'), name))));
  const each =
    new Set(given).size === 1 ? (given[0] ?? '') : names.map((name, index) => `${name} ${given[index]}`).join(', ');
  return [code(path), each, allowed(own), own.description ?? ''];
});
const all = Object.entries(others)
  .filter(([name]) => name !== 'global')
  .flatMap(([name, part]) => leaves(part, at(values, name), name));

const HEAD = ['value', 'default', 'allowed', 'meaning'];
finish({
  path: 'helm/fosp/README.md',
  tables: { services: table(HEAD, ofServices), values: table(HEAD, all.map(row)) },
  faults,
  command: 'npx -y pnpm@12 values',
});
