/**
 * A real Prometheus scrapes a cluster through which went something of everything: its tool finds no fault with any process'
 * metrics, and whatever alerts and dashboards ask for is there, under those very names and labels.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clusterInstalled, lintMetrics, PATIENCE, type Pod, prometheusInstalled, promtool } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboardQueries, type Query } from '../../src/monitoring/dashboards.ts';
import { missingFor } from '../../src/monitoring/missing.ts';
import { readRules, rulesOf } from '../../src/monitoring/rules.ts';
import { runbookQueries } from '../../src/monitoring/runbooks.ts';
import { type Stage, setStage } from '../../src/monitoring/stage.ts';
import { moveIn, oneOfEverything } from '../../src/monitoring/traffic.ts';
import { until } from '../../src/monitoring/until.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const START = 300_000;
/** What has a rate was scraped twice with it. */
const ROUNDS = 3;

/** Documented metrics that only appear with what does not happen here. */
const NOT_HERE = new Set([
  // Without Redis; with traces.
  ...['fosp_objects_cache_bytes', 'fosp_traces_spans_total'],
  // Somebody is refused, or misbehaves.
  ...['fosp_federation_taken_refused_total', 'fosp_gateway_remote_notifications_refused_total'],
  // The other domain asks over our links, or has to prove itself by a key.
  ...['fosp_federation_served_total', 'fosp_federation_verifications_total'],
]);

/** As somebody without Kubernetes puts them on, who has several installations; with what `relabelings` add. */
function labelsOf({ program }: Pod): Record<string, string> {
  return { namespace: 'fosp', service: program };
}

/** Those of the example in docs/operations.md: the chart's ServiceMonitor has the operator put on the same label, and more. */
function documentedRelabelings(): readonly object[] {
  const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const [, example = ''] = /\n {4}# prometheus\.yml\n((?: {4}.*\n)+)/.exec(page) ?? [];
  const { scrape_configs: [scraping] = [] }: ScrapeExample = parse(example.replace(/^ {4}/gm, ''));
  return scraping?.relabel_configs ?? [];
}

interface ScrapeExample {
  readonly scrape_configs?: readonly { readonly relabel_configs?: readonly object[] }[];
}

describe.skipIf(![clusterInstalled(), prometheusInstalled()].every(Boolean))('a Prometheus beside a cluster', () => {
  const started = new AsyncDisposableStack();
  let stage: Stage;

  beforeAll(async () => {
    const replicas = { objects: 1, notifications: 1, attachments: 1, federation: 1, gateway: 1 };
    const relabelings = documentedRelabelings();
    stage = started.use(await setStage({ rules: readRules(), replicas, labelsOf, relabelings }));
    const users = started.use(await moveIn(stage));
    for (let round = 0; round < ROUNDS; round++) {
      await oneOfEverything(stage, users, round);
      await untilScraped(stage);
    }
  }, START);

  afterAll(() => started.disposeAsync(), START);

  it('scrapes every process', async () => {
    const { targets } = stage.prometheus;
    await expect.poll(async () => new Set((await targets()).values())).toEqual(new Set([true]));
    expect((await targets()).size).toBe(stage.cluster.pods.length);
    expect(await promtool('check', 'config', stage.prometheus.configuration)).toContain('SUCCESS');
  });

  it('finds no fault with how metrics are written', async () => {
    for (const { name, process } of stage.cluster.pods) {
      const metrics = await (await fetch(`${process.admin}/metrics`)).text();
      // Those of prom-client itself have names that are not as is usual.
      const complaints = lintMetrics(metrics).filter((line) => line.startsWith('fosp_'));
      expect(complaints, name).toEqual([]);
    }
  });

  it('has what every rule asks for', async () => {
    const rules = rulesOf(readRules()).map((rule) => ({
      where: 'alert' in rule ? rule.alert : rule.record,
      expression: rule.expr,
    }));
    // Rules that ask for what other rules record are later than these.
    await expect.poll(() => wrongWith(stage, rules)).toEqual([]);
  });

  it('has every metric that the documents name', async () => {
    const missing: string[] = [];
    for (const name of documentedMetrics().filter((documented) => !NOT_HERE.has(documented))) {
      const series = `{__name__=~"${name}(_count)?"}`;
      if ((await stage.prometheus.query(`count(last_over_time(${series}[10m]))`)).length === 0) {
        missing.push(name);
      }
    }
    expect(missing).toEqual([]);
  });

  it('has what every runbook has people ask for', async () => {
    const queries = runbookQueries();
    expect(queries.length).toBeGreaterThan(0);
    expect(await wrongWith(stage, queries)).toEqual([]);
  });

  it('has what every panel of every dashboard asks for', async () => {
    expect(await wrongWith(stage, dashboardQueries())).toEqual([]);
  });
});

/** What is missing for these, or is no expression. */
async function wrongWith({ prometheus }: Stage, queries: readonly Query[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { where, expression } of queries) {
    await prometheus.query(expression).catch((error: unknown) => wrong.push(`${where}: ${error}`));
    wrong.push(...(await missingFor(prometheus, expression)).map((what) => `${where}: ${what}`));
  }
  return wrong;
}

/** Resolves once each process was scraped after this moment. */
async function untilScraped({ cluster, prometheus }: Stage): Promise<void> {
  const now = Date.now() / 1000;
  await until('not every process was scraped', PATIENCE, async () => {
    const scraped = await prometheus.query(`timestamp(up == 1) > ${now}`);
    return scraped.length === cluster.pods.length ? scraped : undefined;
  });
}

/** In whole, `fosp_gateway_sessions`; not the ends of names, `_links`. */
function documentedMetrics(): string[] {
  const pages = globSync('docs/**/*.md', { cwd: ROOT }).map((page) => readFileSync(join(ROOT, page), 'utf8'));
  return [...new Set(pages.flatMap((page) => page.match(/(?<![:/\w])fosp_[a-z0-9_]*[a-z0-9](?![\w:])/g) ?? []))].sort();
}
