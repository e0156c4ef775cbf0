/**
 * `pnpm kubernetes api-server`: gives everything that the chart can make to a real API server, in namespaces that are held to the
 * `restricted` pod security standard. What it refuses, or warns of, is a fault. Then the profiles are installed by helm, and the
 * controllers have to get their pods admitted.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { type ApiServer, missingPrograms, startApiServer } from './api-server.ts';
import { CHART, helm, type Rendering, render } from './chart.ts';
import { definitionFiles, KUBERNETES, kubernetesProgram } from './modules.ts';
import { RENDERINGS } from './renderings.ts';
import type { KubernetesObject } from './schemas.ts';

const PROFILES = ['profile dev', 'profile ha', 'profile large'];
/** Milliseconds for controllers to make the pods of a release. */
const PATIENCE = 120_000;

export async function tryApiServer(): Promise<number> {
  const missing = missingPrograms();
  if (missing.length > 0) {
    process.stderr.write(`Not here: ${missing.join(', ')}. Debian has etcd as etcd-server.\n`);
    return 1;
  }
  const folder = `${homedir()}/.cache/fosp/${KUBERNETES.replaceAll('/', '-')}`;
  const programs = {
    apiServer: kubernetesProgram('kube-apiserver', folder),
    controllerManager: kubernetesProgram('kube-controller-manager', folder),
  };
  await using server = await startApiServer(programs);
  define(server);
  const faults: string[] = [];
  for (const [index, [name, rendering]] of Object.entries(RENDERINGS).entries()) {
    const found = tryRendering(server, rendering, `rendering-${index}`);
    process.stdout.write(`${found.length === 0 ? 'taken' : 'REFUSED'}: ${name}\n`);
    faults.push(...found.map((fault) => `${name}: ${fault}`));
  }
  for (const name of PROFILES) {
    const pods = await tryInstall(server, name, faults);
    process.stdout.write(`installed: ${name}, ${pods} pods admitted\n`);
  }
  process.stdout.write(faults.map((fault) => `${fault}\n`).join(''));
  process.stdout.write(`${faults.length} faults, ${Object.keys(RENDERINGS).length} renderings, ${KUBERNETES}\n`);
  return faults.length === 0 ? 0 : 1;
}

function define({ kubectl }: ApiServer): void {
  for (const file of definitionFiles()) {
    const { metadata, ...definition } = parse(readFileSync(file, 'utf8')) as KubernetesObject;
    // Labels and annotations are for whoever installs the operator, by a chart of its own.
    const annotations = {
      'api-approved.kubernetes.io': metadata.annotations?.['api-approved.kubernetes.io'] ?? 'none',
    };
    const named = { ...definition, metadata: { name: metadata.name, annotations } };
    must(kubectl(['create', '--filename', '-'], JSON.stringify(named)));
  }
  must(
    kubectl([
      'wait',
      '--for=condition=Established',
      '--timeout=60s',
      'customresourcedefinitions.apiextensions.k8s.io',
      '--all',
    ]),
  );
}

function must({ status, told }: { readonly status: number | null; readonly told: string }): string {
  if (status !== 0) {
    throw new Error(told);
  }
  return told;
}

/** Every pod that is made in there is held to the standard; templates of pods that break it are warned of. */
function createNamespace({ kubectl }: ApiServer, name: string): void {
  must(kubectl(['create', 'namespace', name]));
  const held = ['enforce', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
  must(kubectl(['label', 'namespace', name, ...held]));
}

/** Created for good, hooks and tests too, so that all that is looked at when it is stored is looked at. */
function tryRendering(server: ApiServer, rendering: Rendering, namespace: string): string[] {
  createNamespace(server, namespace);
  const items = render(rendering).map((object) => ({ ...object, metadata: { ...object.metadata, namespace } }));
  const documents = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { told } = server.kubectl(['create', '--validate=strict', '--filename', '-'], documents);
  const faults = told.split('\n').filter((line) => line !== '' && !/ created$/.test(line));
  must(server.kubectl(['delete', 'namespace', namespace, '--wait=false']));
  return faults;
}

/** By helm, without the hooks: nothing here runs the migration. */
async function tryInstall(server: ApiServer, name: string, faults: string[]): Promise<number> {
  const namespace = name.replace(' ', '-');
  createNamespace(server, namespace);
  const { files = [], set = [] } = RENDERINGS[name] ?? {};
  const values = [...files.flatMap((file) => ['--values', file]), ...set.flatMap((each) => ['--set', each])];
  const access = ['--kubeconfig', server.kubeconfig, '--namespace', namespace, '--no-hooks'];
  for (const command of [['install'], ['upgrade', '--set', 'logLevel=debug']]) {
    const { status, complaints } = helm(...command, 'fosp', CHART, ...access, ...values);
    if (status !== 0) {
      faults.push(`${name}: helm ${command[0]}: ${complaints}`);
    }
  }
  const wanted = () =>
    jsonOf(server, namespace, 'deployments,statefulsets').reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0);
  const pods = () => jsonOf(server, namespace, 'pods').length;
  const end = Date.now() + PATIENCE;
  while (pods() < wanted()) {
    if (Date.now() > end) {
      const events = server.kubectl([
        'get',
        'events',
        '--namespace',
        namespace,
        '--field-selector',
        'type=Warning',
      ]).told;
      faults.push(`${name}: ${pods()} of ${wanted()} pods were made: ${events}`);
      break;
    }
    await pause(500);
  }
  return pods();
}

function jsonOf({ kubectl }: ApiServer, namespace: string, kinds: string): { spec?: { replicas?: number } }[] {
  const told: { items: { spec?: { replicas?: number } }[] } = JSON.parse(
    must(kubectl(['get', kinds, '--namespace', namespace, '--output', 'json'])),
  );
  return told.items;
}
