/** What of Kubernetes the chart is held to, from the modules of Go: whatever has `go` can fetch, and build, these. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

export const KUBERNETES = 'k8s.io/kubernetes@v1.34.4';

/** Objects of others that the chart makes, each with the module and the file in there that defines it. */
export const DEFINITIONS = [
  ['sigs.k8s.io/gateway-api@v1.3.0', 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'],
  ['github.com/cert-manager/cert-manager@v1.18.2', 'deploy/crds/crd-certificates.yaml'],
  ['github.com/kedacore/keda/v2@v2.17.2', 'config/crd/bases/keda.sh_scaledobjects.yaml'],
  [
    'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  ],
  [
    'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml',
  ],
] as const;

/** The folder of a module, fetched where it is not here. */
export function moduleFolder(module: string): string {
  const told = execFileSync('go', ['mod', 'download', '-json', module], { encoding: 'utf8' });
  const { Dir: folder }: { Dir: string } = JSON.parse(told);
  return folder;
}

/** Paths of the files that define the objects of others. */
export function definitionFiles(): string[] {
  return DEFINITIONS.map(([module, path]) => `${moduleFolder(module)}/${path}`);
}

/**
 * A program of Kubernetes, `kube-apiserver`, built into this folder where it is not there yet: a quarter of an hour of two cores.
 * Its modules are told to take each other in the versions of this release, which its own `go.mod` says only for its checkout.
 */
export function kubernetesProgram(name: string, folder: string): string {
  const path = `${folder}/${name}`;
  if (!existsSync(path)) {
    process.stderr.write(`${name} is built, into ${folder}: that takes some minutes.\n`);
    const source = `${folder}/source`;
    mkdirSync(source, { recursive: true });
    const [module = '', version = ''] = KUBERNETES.split('@v1.');
    const staged = readFileSync(`${moduleFolder(KUBERNETES)}/go.mod`, 'utf8').matchAll(/(\S+) => \.\/staging/g);
    const replaced = Array.from(staged, ([, each]) => `replace ${each} => ${each} v0.${version}`);
    writeFileSync(
      `${source}/go.mod`,
      ['module programs', 'go 1.24.0', `require ${module} v1.${version}`, ...replaced, ''].join('\n'),
    );
    writeFileSync(`${source}/${name}.go`, `//go:build tools\n\npackage tools\n\nimport _ "${module}/cmd/${name}"\n`);
    // biome-ignore lint/style/noProcessEnv: the tools of Go need theirs.
    const environment = { ...process.env, CGO_ENABLED: '0' };
    const run = (...args: string[]) => execFileSync('go', args, { cwd: source, stdio: 'inherit', env: environment });
    run('mod', 'tidy');
    const said = ['gitVersion', `v1.${version}`, 'gitMajor', '1', 'gitMinor', version.split('.')[0] ?? ''];
    const flags = [0, 2, 4].map((at) => `-X k8s.io/component-base/version.${said[at]}=${said[at + 1]}`);
    run('build', `-ldflags=-s -w ${flags.join(' ')}`, '-o', path, `${module}/cmd/${name}`);
  }
  return path;
}
