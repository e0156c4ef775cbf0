/** What the workers of `writer-child.ts` do, so that who reads its output can tell what must have come of it. */

export const WORKERS = 16;

export interface Step {
  readonly operation: 'create' | 'update' | 'delete' | 'write' | 'unwrite';
  /** Below the worker's own object. */
  readonly path: string;
}

export type Line =
  | { readonly kind: 'begin'; readonly worker: number; readonly number: number }
  | {
      readonly kind: 'done';
      readonly worker: number;
      readonly number: number;
      readonly status: number;
      readonly tree: string;
      /** 0 where there is none to tell. */
      readonly version: number;
    }
  | { readonly kind: 'event'; readonly tree: string; readonly sequence: number };

const OPERATIONS = ['create', 'create', 'update', 'write', 'unwrite', 'delete'] as const;
const PATHS = ['/a', '/a/b', '/a/b/c', '/d'] as const;

export function stepOf(seed: number, worker: number, number: number): Step {
  const chance =
    Math.imul(Math.imul(seed * 1_000_003 + worker * 7_919 + number, 2_654_435_761) ^ 0x5bd1e995, 0x85ebca6b) >>> 3;
  return {
    operation: OPERATIONS[chance % OPERATIONS.length] ?? 'create',
    path: PATHS[(chance >>> 8) % PATHS.length] ?? '/a',
  };
}

/** What a worker's subtree holds: data and key of the file, by path. */
export type Model = Map<string, { readonly data: string; readonly file: string | undefined }>;

/** What a step makes of a model; whether it succeeds. */
export function apply(
  model: Model,
  step: Step,
  { data, key }: { readonly data: string; readonly key: string },
): boolean {
  const before = model.get(step.path);
  if (step.operation === 'create') {
    const parent = step.path.slice(0, step.path.lastIndexOf('/'));
    if (before !== undefined || (parent !== '' && !model.has(parent))) {
      return false;
    }
    model.set(step.path, { data, file: undefined });
    return true;
  }
  if (before === undefined) {
    return false;
  }
  switch (step.operation) {
    case 'update':
      model.set(step.path, { ...before, data });
      break;
    case 'write':
      model.set(step.path, { ...before, file: key });
      break;
    case 'unwrite':
      model.set(step.path, { ...before, file: undefined });
      break;
    case 'delete':
      for (const path of model.keys()) {
        if (path === step.path || path.startsWith(`${step.path}/`)) {
          model.delete(path);
        }
      }
      break;
  }
  return true;
}
