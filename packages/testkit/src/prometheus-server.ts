/**
 * A real Prometheus (Debian's package) that scrapes processes on this machine every second, for a test: on a free port of
 * loopback, its data in a folder that goes with it.
 */
import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { installed } from './installed.ts';
import { ServerProgram } from './server-program.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const execute = promisify(execFile);
/** promtool's exit code where all could be read, and something is not as is usual. */
const LINT_COMPLAINTS = 3;

export interface ScrapeTarget {
  /** `127.0.0.1:9090`, whose `/metrics` is asked. */
  readonly address: string;
  /** Put on all that it tells. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface PrometheusOptions {
  readonly targets: readonly ScrapeTarget[];
  /** Files of rules, evaluated every second. */
  readonly rules?: readonly string[];
  /** `relabel_configs` of all targets, as Prometheus has them. */
  readonly relabelings?: readonly object[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface FiringAlert {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PrometheusServer extends AsyncDisposable {
  readonly url: string;
  /** Its configuration, for `promtool check config`. */
  readonly configuration: string;
  /** What an expression gives now; throws with Prometheus' own words where it is none. */
  query(expression: string): Promise<readonly Sample[]>;
  /** Alerts that are pending or firing now. */
  alerts(): Promise<readonly FiringAlert[]>;
  /** Addresses of targets, by whether their last scrape succeeded. */
  targets(): Promise<ReadonlyMap<string, boolean>>;
}

/** See `installed`. */
export function prometheusInstalled(): boolean {
  return ['prometheus', 'promtool'].every((program) => installed(program));
}

/** What promtool prints; throws with it where promtool finds a mistake. */
export async function promtool(...given: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await execute('promtool', [...given]);
    return stdout + stderr;
  } catch (error) {
    const told = error instanceof Error && 'stdout' in error && 'stderr' in error ? [error.stdout, error.stderr] : [];
    throw new Error(`promtool ${given.join(' ')}: ${told.join('\n')}`, { cause: error });
  }
}

/** What `promtool check metrics` has against these, a line each; throws where it cannot read them at all. */
export function lintMetrics(metrics: string): string[] {
  const { stdout, stderr, status, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: metrics,
    encoding: 'utf8',
  });
  const lines = (stdout + stderr).split('\n').filter((line) => line !== '');
  if (status !== 0 && status !== LINT_COMPLAINTS) {
    throw error ?? new Error(`promtool check metrics: ${lines.join('\n')}`);
  }
  return lines;
}

export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const directory = await temporaryDirectory();
  const configuration = join(directory.path, 'prometheus.json');
  const port = await freePort();
  // JSON is YAML.
  await writeFile(configuration, JSON.stringify(configurationOf(options)));
  const program = new ServerProgram({
    command: 'prometheus',
    arguments: [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(directory.path, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    ready: /Server is ready to receive web requests/,
  });
  await program.start();
  const url = `http://127.0.0.1:${port}`;
  const ask = <T>(path: string, parameters: Record<string, string> = {}) => askApi<T>(url, path, parameters);
  return {
    url,
    configuration,
    query: async (expression) => {
      const { result, resultType } = await ask<QueryData>('query', { query: expression });
      return resultType === 'vector' ? result.map(sampleOf) : [{ labels: {}, value: Number(result[1]) }];
    },
    alerts: async () => {
      const { alerts } = await ask<{ readonly alerts: readonly ApiAlert[] }>('alerts');
      return alerts.map(({ state, labels, annotations }) => ({
        ...{ state, labels, annotations },
        name: labels['alertname'] ?? '',
      }));
    },
    targets: async () => {
      const { activeTargets } = await ask<TargetData>('targets', { state: 'active' });
      return new Map(activeTargets.map(({ scrapeUrl, health }) => [new URL(scrapeUrl).host, health === 'up'] as const));
    },
    [Symbol.asyncDispose]: async () => {
      await program.kill();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function configurationOf({ targets, rules = [], relabelings = [] }: PrometheusOptions): object {
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: rules,
    scrape_configs: [
      {
        job_name: 'fosp',
        static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })),
        relabel_configs: relabelings,
      },
    ],
  };
}

interface TargetData {
  readonly activeTargets: readonly { readonly scrapeUrl: string; readonly health: string }[];
}

interface ApiAlert {
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A time, and the number as text. */
type ApiValue = readonly [number, string];

interface ApiSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: ApiValue;
}

type QueryData =
  | { readonly resultType: 'vector'; readonly result: readonly ApiSample[] }
  | { readonly resultType: 'scalar' | 'string'; readonly result: ApiValue };

function sampleOf({ metric, value }: ApiSample): Sample {
  return { labels: metric, value: Number(value[1]) };
}

async function askApi<T>(url: string, path: string, parameters: Readonly<Record<string, string>>): Promise<T> {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const answer: { readonly data: T; readonly error?: string } = JSON.parse(await response.text());
  if (!response.ok) {
    throw new Error(`Prometheus on ${path} ${JSON.stringify(parameters)}: ${answer.error}`);
  }
  return answer.data;
}
