/** `deploy/monitoring/alerts.yaml` by itself: what Prometheus' own tool says of it, and its pages for whoever is called. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prometheusInstalled, promtool } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ALERTS_FILE, alertsOf, hasten, MONITORING, readRules, secondsOf } from '../../src/monitoring/rules.ts';
import { askedBy } from '../../src/monitoring/selectors.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const TESTS_FILE = join(MONITORING, 'alerts.test.yaml');
const ALERTS = alertsOf(readRules());

describe.skipIf(!prometheusInstalled())('the alerts, as promtool sees them', () => {
  it('are rules that Prometheus takes', async () => {
    expect(await promtool('check', 'rules', ALERTS_FILE)).toContain('SUCCESS');
  });

  it('fire when they should, and are over when it is over', async () => {
    expect(await promtool('test', 'rules', TESTS_FILE)).toContain('SUCCESS');
  });
});

interface UnitTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly object[] }[];
  }[];
}

describe.each(ALERTS.map((rule) => [rule.alert, rule] as const))('%s', (name, { annotations, labels }) => {
  it('has tests in which it fires, and in which it does not', () => {
    const { tests }: UnitTests = parse(readFileSync(TESTS_FILE, 'utf8'));
    const own = tests.flatMap((test) => test.alert_rule_test).filter(({ alertname }) => alertname === name);
    expect(own.filter(({ exp_alerts: expected = [] }) => expected.length > 0)).not.toEqual([]);
    expect(own.filter(({ exp_alerts: expected = [] }) => expected.length === 0)).not.toEqual([]);
  });

  it('says what it is about, and leads to a page that says what to do', () => {
    expect(['critical', 'warning']).toContain(labels['severity']);
    expect(annotations['summary']).toMatch(/\w/);
    expect(annotations['description']).toMatch(/\w/);
    const page = join(ROOT, annotations['runbook_url'] ?? '');
    expect(existsSync(page)).toBe(true);
    const text = readFileSync(page, 'utf8');
    expect(text).toContain(name);
    for (const title of ['What users notice', 'Look', 'Do', 'It is over when']) {
      expect(text).toContain(`## ${title}\n`);
    }
  });
});

describe('what an expression asks for', () => {
  it('is found in it', () => {
    const expression =
      'sum by (type) (rate(a_total{status=~"5..|by (x)", type!="b"}[5m])) / on (type) group_left (pod) c:d > bool 0.5 or e offset 5m';
    expect(askedBy(expression)).toEqual({
      selectors: [
        { metric: 'a_total', labels: ['status', 'type'] },
        { metric: 'c:d', labels: [] },
        { metric: 'e', labels: [] },
      ],
      groupLabels: ['type', 'pod'],
    });
  });
});

describe('rules in which time passes faster', () => {
  it('have shorter windows and waits, and lower ages, and are otherwise the same', () => {
    const rule = {
      alert: 'A',
      expr: 'rate(a[5m] offset 1h) > 2 * 60 and b > 14.4 * 0.001 and c < 3 * 86400',
      for: '10m',
      labels: {},
      annotations: {},
    };
    expect(hasten({ groups: [{ name: 'g', rules: [rule] }] }, 30)).toEqual({
      groups: [
        {
          name: 'g',
          rules: [{ ...rule, expr: 'rate(a[10s] offset 120s) > 4 and b > 14.4 * 0.001 and c < 3 * 86400', for: '20s' }],
        },
      ],
    });
    expect(secondsOf('1h30m')).toBe(5400);
  });

  it.skipIf(!prometheusInstalled())('are rules, too', async () => {
    expect(JSON.stringify(hasten(readRules(), 30))).not.toMatch(/"for":"\d+[mh]"|\[\d+[mhd]\]/);
  });
});
