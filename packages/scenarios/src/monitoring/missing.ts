import type { PrometheusServer } from '@fosp/testkit';
import { askedBy } from './selectors.ts';

/**
 * What an expression asks for and Prometheus does not have, a sentence each: metrics, labels to match by (with whatever
 * values: a cluster that is well has no 500), labels to group by, which at least one of the metrics must have.
 */
export async function missingFor(prometheus: PrometheusServer, expression: string): Promise<string[]> {
  const { selectors, groupLabels } = askedBy(expression);
  const metrics = [...new Set(selectors.map(({ metric }) => metric))];
  const missing: string[] = [];
  for (const metric of metrics) {
    if (!(await has(prometheus, metric))) {
      missing.push(`there is no metric ${metric}`);
    }
  }
  for (const { metric, labels } of selectors) {
    for (const label of labels) {
      if (!(await has(prometheus, withLabel(metric, label)))) {
        missing.push(`${metric} has no label ${label}`);
      }
    }
  }
  for (const label of groupLabels) {
    const found = await Promise.all(metrics.map((metric) => has(prometheus, withLabel(metric, label))));
    // Buckets of histograms alone have it.
    if (!found.includes(true)) {
      missing.push(`none of ${metrics.join(', ')} has a label ${label}`);
    }
  }
  return [...new Set(missing)];
}

function withLabel(metric: string, label: string): string {
  return `${metric}{${label}!=""}`;
}

/** Now, or within the last minutes: what a process told before it was killed has been there. */
async function has(prometheus: PrometheusServer, selector: string): Promise<boolean> {
  return (await prometheus.query(`count(last_over_time(${selector}[10m]))`)).length > 0;
}
