/**
 * Each alert is made to fire by breaking what it watches, on a running cluster under load, and must be over once that is mended.
 * The rules are those of `deploy/monitoring/alerts.yaml` with all times divided by 30 (`hasten`), in a real Prometheus.
 */
import type { FiringAlert, PrometheusServer } from '@fosp/testkit';
import { BREAKAGES, type Breakage, type Expected } from './breakages.ts';
import { Load } from './load.ts';
import { alertsOf, hasten, readRules } from './rules.ts';
import { type Stage, setStage } from './stage.ts';
import { STRAIN_LIMITS } from './strain.ts';
import { moveIn } from './traffic.ts';
import { until } from './until.ts';

const TIMES = 30;
/** Milliseconds for an alert to fire, and for all to be over: ten times what it takes. */
const PATIENCE = 300_000;
/** Milliseconds without the alerts that are to fire before something is broken. */
const QUIET = 5_000;

export interface Fired {
  readonly what: string;
  /** Those that were to fire, with the seconds until they did; and whether they were pending before. */
  readonly fired: Readonly<Record<string, { readonly seconds: number; readonly wasPending: boolean }>>;
  /** Others that fired meanwhile. */
  readonly besides: readonly string[];
  /** Seconds after mending until none of them fired any more. */
  readonly over: number;
}

export interface AlertsOutcome {
  readonly counted: { readonly breakages: readonly Fired[] };
  readonly wrong: readonly string[];
}

export interface AlertsOptions {
  /** Of the breakages, those whose names contain this. */
  readonly only?: string | undefined;
  readonly report: (text: string) => void;
}

export async function runAlerts({ only = '', report }: AlertsOptions): Promise<AlertsOutcome> {
  const chosen = BREAKAGES.filter(({ what }) => what.includes(only));
  await using stage = await setStage({ rules: hasten(readRules(), TIMES), environment: STRAIN_LIMITS });
  await using _users = await moveIn(stage);
  await using _load = await Load.start(stage.cluster.url);
  const breakages: Fired[] = [];
  const wrong: string[] = [];
  for (const breakage of chosen) {
    try {
      await untilQuiet(stage.prometheus, breakage.expected);
      const fired = await breakOnce(stage, breakage);
      breakages.push(fired);
      report(JSON.stringify(fired));
    } catch (error) {
      wrong.push(`${breakage.what}: ${error instanceof Error ? error.message : error}`);
      report(`WRONG ${wrong.at(-1)}`);
    }
  }
  const seen = new Set(chosen.flatMap(({ expected }) => expected.map(({ alert }) => alert)));
  const never = alertsOf(readRules()).filter(({ alert }) => only === '' && !seen.has(alert));
  return { counted: { breakages }, wrong: [...wrong, ...never.map(({ alert }) => `nothing is broken for ${alert}`)] };
}

async function breakOnce(stage: Stage, { what, expected, befall }: Breakage): Promise<Fired> {
  const { prometheus } = stage;
  const watch = new Watch();
  const look = async () => watch.take(await prometheus.alerts());
  const mend = await befall(stage);
  const fired: Record<string, { seconds: number; wasPending: boolean }> = {};
  try {
    for (const each of expected) {
      const seconds = await until(`${nameOf(each)} did not fire`, PATIENCE, async () => {
        await look();
        return watch.firedAfter(each);
      });
      fired[nameOf(each)] = { seconds: Math.round(seconds), wasPending: watch.wasPending(each) };
    }
  } finally {
    await mend();
  }
  const mended = performance.now();
  await until(`alerts are not over: ${what}`, PATIENCE, async () => {
    const firing = (await look()).filter(({ state }) => state === 'firing');
    return expected.some((each) => firing.some((alert) => isOf(alert, each))) ? undefined : true;
  });
  const over = Math.round((performance.now() - mended) / 1000);
  return { what, fired, besides: watch.besides(expected), over };
}

/** What was seen of alerts since it began. */
class Watch {
  readonly #began = performance.now();
  readonly #pending: FiringAlert[] = [];
  readonly #firing: { readonly alert: FiringAlert; readonly seconds: number }[] = [];

  take(alerts: readonly FiringAlert[]): readonly FiringAlert[] {
    const seconds = (performance.now() - this.#began) / 1000;
    for (const alert of alerts) {
      const known = alert.state === 'pending' ? this.#pending : this.#firing.map((firing) => firing.alert);
      if (!known.some((other) => isSame(alert, other))) {
        if (alert.state === 'pending') {
          this.#pending.push(alert);
        } else {
          this.#firing.push({ alert, seconds });
        }
      }
    }
    return alerts;
  }

  firedAfter(expected: Expected): number | undefined {
    return this.#firing.find(({ alert }) => isOf(alert, expected))?.seconds;
  }

  wasPending(expected: Expected): boolean {
    return this.#pending.some((alert) => isOf(alert, expected));
  }

  besides(expected: readonly Expected[]): string[] {
    const others = this.#firing.filter(({ alert }) => !expected.some((each) => isOf(alert, each)));
    return [...new Set(others.map(({ alert }) => alert.name))];
  }
}

function isOf(alert: FiringAlert, { alert: name, labels = {} }: Expected): boolean {
  return alert.name === name && Object.entries(labels).every(([label, value]) => alert.labels[label] === value);
}

function isSame(alert: FiringAlert, other: FiringAlert): boolean {
  return JSON.stringify(alert.labels) === JSON.stringify(other.labels);
}

function nameOf({ alert, labels = {} }: Expected): string {
  return [alert, ...Object.values(labels)].join(' ');
}

/** Resolves once none of these has been there for a while. A machine with other things to do may make others fire. */
async function untilQuiet(prometheus: PrometheusServer, expected: readonly Expected[]): Promise<void> {
  let since = performance.now();
  await until('what is to fire fires before anything is broken', PATIENCE, async () => {
    const early = (await prometheus.alerts()).some((alert) => expected.some((each) => isOf(alert, each)));
    since = early ? performance.now() : since;
    return performance.now() - since > QUIET ? true : undefined;
  });
}
