/** The rules of `deploy/monitoring/alerts.yaml`, and a copy of them in which all takes a fraction of its time. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const MONITORING = fileURLToPath(new URL('../../../../deploy/monitoring', import.meta.url));
export const ALERTS_FILE = `${MONITORING}/alerts.yaml`;

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export type Rule = AlertRule | RecordingRule;

export interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly Rule[];
  }[];
}

export function readRules(): RuleFile {
  return parse(readFileSync(ALERTS_FILE, 'utf8'));
}

export function rulesOf(file: RuleFile): Rule[] {
  return file.groups.flatMap(({ rules }) => rules);
}

export function alertsOf(file: RuleFile): AlertRule[] {
  return rulesOf(file).filter((rule) => 'alert' in rule);
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const DURATION = /(\d+)(ms|[smhdw])/g;

/** `1h30m`, in seconds. */
export function secondsOf(duration: string): number {
  return [...duration.matchAll(DURATION)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0),
    0,
  );
}

/** Shorter than this no window has enough of what is scraped every second. */
const LEAST_SECONDS = 5;

/**
 * Divides all durations: of `for`, of windows (`[5m]`), of offsets. With them go thresholds on ages, which are written as
 * durations in seconds, `15 * 60`; all other numbers stay.
 */
export function hasten(file: RuleFile, times: number): RuleFile {
  const shorter = (duration: string) => `${Math.max(LEAST_SECONDS, Math.round(secondsOf(duration) / times))}s`;
  const expression = (expr: string) =>
    expr
      .replace(/\[([0-9a-z]+)\]/g, (_, duration: string) => `[${shorter(duration)}]`)
      .replace(/\boffset ([0-9a-z]+)/g, (_, duration: string) => `offset ${shorter(duration)}`)
      .replace(/> (\d+) \* 60\b/g, (_, minutes: string) => `> ${(Number(minutes) * 60) / times}`);
  const rule = (given: Rule): Rule =>
    'alert' in given
      ? { ...given, expr: expression(given.expr), ...(given.for === undefined ? {} : { for: shorter(given.for) }) }
      : { ...given, expr: expression(given.expr) };
  return { groups: file.groups.map(({ name, rules }) => ({ name, rules: rules.map(rule) })) };
}
