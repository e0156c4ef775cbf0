/** The chart as helm renders it: the program that FOSP_HELM names, or `helm`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installed } from '@fosp/testkit';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './schemas.ts';

export const CHART = fileURLToPath(new URL('../fosp', import.meta.url));
export const EXAMPLES = fileURLToPath(new URL('../examples', import.meta.url));

/** What the templates may look at of the cluster, which is not there. */
const CLUSTER = ['--kube-version', '1.34.0'];

// biome-ignore lint/style/noProcessEnv: tests have no configuration of their own.
const HELM = process.env['FOSP_HELM'] || 'helm';

export function helmInstalled(): boolean {
  return installed(HELM, 'version');
}

export interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly complaints: string;
}

export function helm(...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(HELM, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return { status, output: stdout ?? '', complaints: stderr ?? '' };
}

/** A profile, or a switch, and what it needs to be complete. */
export interface Rendering {
  /** Files of values, in order. */
  readonly files?: readonly string[];
  /** `key=value`, as for `--set`. */
  readonly set?: readonly string[];
}

export function template({ files = [], set = [] }: Rendering): Ended {
  const values = [...files.flatMap((file) => ['--values', file]), ...set.flatMap((each) => ['--set', each])];
  return helm('template', 'fosp', CHART, '--namespace', 'fosp', ...CLUSTER, ...values);
}

export function lint({ files = [], set = [] }: Rendering): Ended {
  const values = [...files.flatMap((file) => ['--values', file]), ...set.flatMap((each) => ['--set', each])];
  return helm('lint', CHART, '--strict', ...values);
}

/** All objects, hooks and tests among them, read as Kubernetes reads YAML, in which `on` is no text. Throws what helm complains of. */
export function render(rendering: Rendering): KubernetesObject[] {
  const { status, output, complaints } = template(rendering);
  if (status !== 0) {
    throw new Error(complaints);
  }
  return parseAllDocuments(output, { version: '1.1' }).flatMap((document) => {
    if (document.errors.length > 0) {
      throw document.errors[0];
    }
    return (document.toJS() as KubernetesObject | null) ?? [];
  });
}

export function profile(name: string): string {
  return `${CHART}/profiles/${name}.yaml`;
}

export function example(name: string): string {
  return `${EXAMPLES}/${name}.yaml`;
}
