/**
 * Whether an object is one that Kubernetes would take, by the schemas of its API server (fixtures/schemas.json), strictly: a
 * field that is not known is a mistake, where Kubernetes would drop it.
 */
import { readFileSync } from 'node:fs';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

const SCHEMAS: {
  readonly kinds: Readonly<Record<string, Schema>>;
  readonly definitions: Readonly<Record<string, Schema>>;
} = JSON.parse(readFileSync(new URL('../fixtures/schemas.json', import.meta.url), 'utf8'));

/** What is wrong with it, a line each. */
export function mistakesIn(object: KubernetesObject): string[] {
  const kind = `${object.apiVersion}/${object.kind}`;
  const schema = SCHEMAS.kinds[kind];
  return schema === undefined
    ? [`${kind}: no schema of it is here; add it to src/collect-schemas.ts`]
    : mistakes(object, schema, `${object.kind} ${object.metadata.name}`);
}

function mistakes(value: unknown, given: Schema, path: string): string[] {
  const schema =
    given.$ref === undefined ? given : (SCHEMAS.definitions[given.$ref.slice('#/definitions/'.length)] ?? {});
  if (schema['x-kubernetes-int-or-string'] || schema.format === 'int-or-string') {
    return typeof value === 'string' || Number.isInteger(value) ? [] : [`${path}: neither a number nor a text`];
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [`${path}: ${JSON.stringify(value)} is none of ${schema.enum.join(', ')}`];
  }
  switch (schema.type) {
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, index) => mistakes(item, schema.items ?? {}, `${path}[${index}]`))
        : [`${path}: no list`];
    case 'string':
      return typeof value === 'string' && new RegExp(schema.pattern ?? '').test(value) ? [] : [`${path}: no such text`];
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path}: neither true nor false`];
    case 'integer':
    case 'number':
      return isNumber(value, schema) ? [] : [`${path}: ${JSON.stringify(value)} is no such number`];
    default:
      return isRecord(value) ? mistakesInFields(value, schema, path) : untyped(value, schema, path);
  }
}

/** A schema that says nothing allows anything; one that has fields wants an object. */
function untyped(value: unknown, { type, properties }: Schema, path: string): string[] {
  return type === undefined && properties === undefined ? [] : [`${path}: ${JSON.stringify(value)} is no object`];
}

function isNumber(value: unknown, { type, minimum = -Infinity, maximum = Infinity }: Schema): boolean {
  return (
    typeof value === 'number' && value >= minimum && value <= maximum && (type === 'number' || Number.isInteger(value))
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mistakesInFields(value: Readonly<Record<string, unknown>>, schema: Schema, path: string): string[] {
  const { properties = {}, required = [], additionalProperties, type } = schema;
  const open = schema['x-kubernetes-preserve-unknown-fields'] || (type === 'object' && schema.properties === undefined);
  const missing = required.filter((name) => value[name] === undefined).map((name) => `${path}: has no ${name}`);
  const inFields = Object.entries(value).flatMap(([name, field]) => {
    const known = properties[name] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (known !== undefined) {
      return mistakes(field, known, `${path}.${name}`);
    }
    return open ? [] : [`${path}.${name}: is not known`];
  });
  return [...missing, ...inFields];
}
