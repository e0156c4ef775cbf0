import type { Pod } from '@fosp/testkit';

/** What a process tells of itself at one moment. */
export interface Figures {
  /** The sum of a metric, over all its labels or those that match. */
  sum(name: string, labels?: RegExp): number;
}

export async function figuresOf(pod: Pod): Promise<Figures> {
  const response = await fetch(`${pod.process.admin}/metrics`);
  const lines = (await response.text()).split('\n');
  return {
    sum: (name, labels = /^/) => {
      const values = lines.flatMap((line) => {
        const [, found, labelsOfLine = '', value] = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line) ?? [];
        return found === name && labels.test(labelsOfLine) ? [Number(value)] : [];
      });
      return values.reduce((sum, value) => sum + value, 0);
    },
  };
}

export async function metricOf(pod: Pod, name: string, labels?: RegExp): Promise<number> {
  return (await figuresOf(pod)).sum(name, labels);
}

/** Requests that a gateway answered. */
export function requestsAt(gateway: Pod): Promise<number> {
  return metricOf(gateway, 'fosp_gateway_requests_total');
}
