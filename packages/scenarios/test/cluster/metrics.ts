import type { Pod } from '@fosp/testkit';

/** The sum of a metric of a process, over all its labels or those that match. */
export async function metricOf(pod: Pod, name: string, labels = /^/): Promise<number> {
  const response = await fetch(`${pod.process.admin}/metrics`);
  const lines = (await response.text()).split('\n');
  const values = lines.flatMap((line) => {
    const [, found, labelsOfLine = '', value] = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    return found === name && labels.test(labelsOfLine) ? [Number(value)] : [];
  });
  return values.reduce((sum, value) => sum + value, 0);
}

/** Requests that a gateway answered. */
export function requestsAt(gateway: Pod): Promise<number> {
  return metricOf(gateway, 'fosp_gateway_requests_total');
}
