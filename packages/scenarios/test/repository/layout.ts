/**
 * Who may import whom (the table of DESIGN in code), and in which one file each driver is imported. The layout test holds
 * every source file of the repository to it.
 */

interface Rule {
  /** Packages of ours whose exports its sources may import. */
  readonly ours: readonly string[];
  /** May it use Node's modules in `src`? */
  readonly node: boolean;
}

const SERVICE: Rule = { ours: ['protocol', 'connection', 'bus', 'runtime'], node: true };
/** Ends connections, and carries out what comes by them. */
const SERVING: Rule = { ours: [...SERVICE.ours, 'exchange'], node: true };
const SERVICES = ['gateway', 'objects', 'attachments', 'notifications', 'federation'] as const;

export const RULES: Readonly<Record<string, Rule>> = {
  'packages/protocol': { ours: [], node: false },
  'packages/connection': { ours: ['protocol'], node: true },
  'packages/exchange': { ours: ['protocol', 'connection', 'bus', 'runtime'], node: true },
  'packages/bus': { ours: ['protocol', 'runtime'], node: true },
  'packages/runtime': { ours: [], node: true },
  'packages/client': { ours: ['protocol', 'connection'], node: true },
  'packages/cli': { ours: ['protocol', 'client', 'runtime'], node: true },
  'packages/conformance': { ours: [], node: true },
  'packages/testcontainers': { ours: ['client'], node: true },
  'packages/testkit': { ours: ['protocol', 'connection', 'bus', 'runtime', 'client'], node: true },
  'packages/scenarios': { ours: ['*'], node: true },
  'packages/bench': { ours: ['protocol', 'connection', 'client', 'standalone', 'testkit'], node: true },
  'services/gateway': SERVING,
  'services/objects': SERVICE,
  'services/attachments': SERVICE,
  'services/notifications': SERVICE,
  'services/federation': SERVING,
  'services/standalone': { ours: ['protocol', 'bus', 'runtime', ...SERVICES], node: true },
};

/** Suites a package exports for others' tests: `@fosp/bus/suite` is for tests alone. */
const TEST_ONLY = /\/suite$/;

/** What tests may import beyond their package's own rule. */
const FOR_TESTS = ['protocol', 'testkit', 'bus', 'connection', 'client', 'runtime'];

/** Drivers, and the one place whose sources may import each. */
export const DRIVERS: Readonly<Record<string, RegExp>> = {
  'node:sqlite':
    /^services\/objects\/src\/store\/sqlite\/[a-z-]+\.ts$|^services\/federation\/src\/queue\/sqlite\/[a-z-]+\.ts$/,
  // The bench measures the bare clients beside what is built on them.
  '@nats-io/transport-node': /^packages\/bus\/src\/nats\/|^packages\/bench\/src\/cluster\//,
  '@nats-io/jetstream': /^packages\/bus\/src\/nats\//,
  '@nats-io/kv': /^packages\/bus\/src\/nats\//,
  pg: /^services\/objects\/src\/store\/postgres\/connection\.ts$/,
  ioredis: /^services\/objects\/src\/redis\/link\.ts$|^packages\/bench\/src\/cluster\/floors\.ts$/,
  '@aws-sdk/client-s3': /^services\/attachments\/src\/s3\/client\.ts$/,
  '@aws-sdk/s3-request-presigner': /^services\/attachments\/src\/s3\/client\.ts$/,
  '@opentelemetry/api': /^packages\/runtime\/src\/tracing\//,
  '@opentelemetry/sdk-trace': /^packages\/runtime\/src\/tracing\//,
  '@opentelemetry/resources': /^packages\/runtime\/src\/tracing\//,
  '@opentelemetry/exporter-trace-otlp-http': /^packages\/runtime\/src\/tracing\//,
  testcontainers: /^packages\/testcontainers\/src\//,
  ws: /^packages\/(conformance|testkit|bench)\/src\//,
};

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[^.\w])import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g;

export function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** What is wrong with the imports of one file, a sentence each. */
export function violations(file: SourceFile): string[] {
  const home = Object.keys(RULES).find((folder) => file.path.startsWith(`${folder}/`));
  const rule = home === undefined ? undefined : RULES[home];
  if (home === undefined || rule === undefined) {
    return [`${file.path}: no rule for this folder; add it to RULES`];
  }
  const inTests = file.path.startsWith(`${home}/test/`) || file.path.includes('/suite/');
  return importsOf(file.text).flatMap((name) => {
    const problem = problemOf(name, file.path, { home, rule, inTests });
    return problem === undefined ? [] : [`${file.path}: ${problem}`];
  });
}

interface Place {
  readonly home: string;
  readonly rule: Rule;
  readonly inTests: boolean;
}

function problemOf(name: string, path: string, place: Place): string | undefined {
  if (name.startsWith('.')) {
    return leavesFolder(name, path, place.home) ? `${name} leaves the package; import it by its name` : undefined;
  }
  if (name.startsWith('@fosp/')) {
    return problemOfOurs(name, place);
  }
  if (name.startsWith('node:') && !place.rule.node && !place.inTests) {
    return `${name}: this package knows nothing of Node`;
  }
  const driver = DRIVERS[name];
  return driver !== undefined && !place.inTests && !driver.test(path)
    ? `${name} is imported in one place alone`
    : undefined;
}

function problemOfOurs(name: string, { home, rule, inTests }: Place): string | undefined {
  const [, target = '', ...rest] = name.split('/');
  if (rest[0] === 'src') {
    return `${name} goes around the exports map`;
  }
  if (home.endsWith(`/${target}`)) {
    return inTests ? undefined : `${name} imports itself`;
  }
  if (TEST_ONLY.test(name) && !inTests) {
    return `${name} is for tests`;
  }
  const allowed = rule.ours.includes('*') || rule.ours.includes(target) || (inTests && FOR_TESTS.includes(target));
  return allowed ? undefined : `may not import ${name}`;
}

function leavesFolder(name: string, path: string, home: string): boolean {
  return !new URL(name, `file:///${path}`).pathname.startsWith(`/${home}/`);
}
