/**
 * `pnpm kubernetes schemas`: writes the schemas of the kinds that the chart makes, as the API server has them, into the tests'
 * fixtures. For a newer Kubernetes change `modules.ts`. Descriptions are left out: what is left is a fiftieth.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { definitionFiles, KUBERNETES, moduleFolder } from './modules.ts';

const KINDS = new Set([
  ...['Service', 'ConfigMap', 'Pod'].map((kind) => `v1/${kind}`),
  ...['Deployment', 'StatefulSet'].map((kind) => `apps/v1/${kind}`),
  ...['NetworkPolicy', 'Ingress'].map((kind) => `networking.k8s.io/v1/${kind}`),
  ...['batch/v1/Job', 'policy/v1/PodDisruptionBudget', 'autoscaling/v2/HorizontalPodAutoscaler'],
]);

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Definition {
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly schema: { readonly openAPIV3Schema: unknown };
    }[];
  };
}

const REFERENCE = '#/definitions/';
/** What says something to whoever reads, or to others than a validator. */
const LEFT_OUT =
  /^(description|default|example|externalDocs|x-kubernetes-(?!int-or-string|preserve-unknown-fields).*)$/;

export function collectSchemas(): void {
  const swagger: { readonly definitions: Readonly<Record<string, Definition>> } = JSON.parse(
    readFileSync(`${moduleFolder(KUBERNETES)}/api/openapi-spec/swagger.json`, 'utf8'),
  );
  const kinds: Record<string, unknown> = {};
  const definitions: Record<string, unknown> = {};
  const take = (name: string) => {
    if (!(name in definitions)) {
      definitions[name] = {};
      definitions[name] = trimmed(swagger.definitions[name], take);
    }
  };
  for (const [name, definition] of Object.entries(swagger.definitions)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      const key = [group, version, kind].filter((part) => part !== '').join('/');
      if (KINDS.has(key)) {
        take(name);
        kinds[key] = { $ref: REFERENCE + name };
      }
    }
  }
  for (const file of definitionFiles()) {
    const { group, names, versions } = (parse(readFileSync(file, 'utf8')) as CustomResourceDefinition).spec;
    for (const { name, served, schema } of versions) {
      if (served) {
        kinds[`${group}/${name}/${names.kind}`] = trimmed(schema.openAPIV3Schema, take);
      }
    }
  }
  const path = fileURLToPath(new URL('../fixtures/schemas.json', import.meta.url));
  writeFileSync(path, `${JSON.stringify({ kubernetes: KUBERNETES, kinds, definitions })}\n`);
}

function trimmed(node: unknown, take: (name: string) => void): unknown {
  if (Array.isArray(node)) {
    return node.map((each) => trimmed(each, take));
  }
  if (typeof node !== 'object' || node === null) {
    return node;
  }
  if ('$ref' in node && typeof node.$ref === 'string') {
    take(node.$ref.slice(REFERENCE.length));
  }
  // A property may be named like what is left out; then it is a schema, and none of these is.
  const kept = Object.entries(node).filter(([key, value]) => !LEFT_OUT.test(key) || isSchema(key, value));
  return Object.fromEntries(kept.map(([key, value]) => [key, trimmed(value, take)]));
}

function isSchema(key: string, value: unknown): boolean {
  return (
    !key.startsWith('x-') &&
    typeof value === 'object' &&
    value !== null &&
    ('type' in value || '$ref' in value || 'x-kubernetes-int-or-string' in value)
  );
}
