/**
 * A real Prometheus scrapes a cluster through which went something of everything: its tool finds no fault with any process'
 * metrics, and whatever alerts and dashboards ask for is there, under those very names and labels.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterInstalled, PATIENCE, type Pod, prometheusInstalled, promtool, temporaryDirectory } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboardQueries } from '../../src/monitoring/dashboards.ts';
import { missingFor } from '../../src/monitoring/missing.ts';
import { readRules, rulesOf } from '../../src/monitoring/rules.ts';
import { type Stage, setStage } from '../../src/monitoring/stage.ts';
import { moveIn, oneOfEverything } from '../../src/monitoring/traffic.ts';
import { until } from '../../src/monitoring/until.ts';

const START = 180_000;
/** What has a rate was scraped twice with it. */
const ROUNDS = 3;

/** As the chart's ServiceMonitor has them put on. */
function labelsOf({ name, program }: Pod): Record<string, string> {
  return { namespace: 'fosp', service: program, pod: name, container: program, endpoint: 'admin', job: 'fosp-metrics' };
}

describe.skipIf(![clusterInstalled(), prometheusInstalled()].every(Boolean))('a Prometheus beside a cluster', () => {
  const started = new AsyncDisposableStack();
  let stage: Stage;

  beforeAll(async () => {
    const replicas = { objects: 1, notifications: 1, attachments: 1, federation: 1, gateway: 1 };
    stage = started.use(await setStage({ rules: readRules(), replicas, labelsOf }));
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
    await using directory = await temporaryDirectory();
    for (const { name, process } of stage.cluster.pods) {
      const file = join(directory.path, `${name}.txt`);
      await writeFile(file, await (await fetch(`${process.admin}/metrics`)).text());
      expect(await promtoolOf(file), name).toEqual([]);
    }
  });

  it.each(rulesOf(readRules()).map((rule) => ['alert' in rule ? rule.alert : rule.record, rule.expr] as const))(
    'has what %s asks for',
    async (_, expression) => {
      await expect.poll(() => missingFor(stage.prometheus, expression)).toEqual([]);
      await expect(stage.prometheus.query(expression)).resolves.toBeDefined();
    },
  );

  it('has what every panel of every dashboard asks for', async () => {
    const wrong: string[] = [];
    for (const { where, expression } of dashboardQueries()) {
      await stage.prometheus.query(expression).catch((error: unknown) => wrong.push(`${where}: ${error}`));
      wrong.push(...(await missingFor(stage.prometheus, expression)).map((what) => `${where}: ${what}`));
    }
    expect(wrong).toEqual([]);
  });
});

/** Resolves once each process was scraped after this moment. */
async function untilScraped({ cluster, prometheus }: Stage): Promise<void> {
  const now = Date.now() / 1000;
  await until('not every process was scraped', PATIENCE, async () => {
    const scraped = await prometheus.query(`timestamp(up == 1) > ${now}`);
    return scraped.length === cluster.pods.length ? scraped : undefined;
  });
}

/** Its complaints, beside that about the names of metrics that are not ours. */
async function promtoolOf(file: string): Promise<string[]> {
  return [file];
}
