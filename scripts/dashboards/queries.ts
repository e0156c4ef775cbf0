/** Queries of the chosen namespace and pods. */

const CHOSEN = 'namespace=~"$namespace",pod=~"$pod"';

/** Requests of clients that failed by our fault, as the alerts have it: 502 and 504 are other domains'. */
export const FAILED = 'status=~"408|500|503"';

/** Durations of requests that did what they were to do, which is what the alerts look at. */
export const SUCCEEDED = 'class=~"2xx|3xx"';

/** The metric itself; `labels` are further conditions on it. */
export function of(metric: string, labels = ''): string {
  return `${metric}{${[CHOSEN, labels].filter((condition) => condition !== '').join(',')}}`;
}

/** Per second, summed; `by` are labels, separated by commas. */
export function rate(metric: string, by = '', labels = ''): string {
  return `sum${grouped(by)} (rate(${of(metric, labels)}[$__rate_interval]))`;
}

export function sum(metric: string, by = '', labels = ''): string {
  return `sum${grouped(by)} (${of(metric, labels)})`;
}

export function max(metric: string, by = '', labels = ''): string {
  return `max${grouped(by)} (${of(metric, labels)})`;
}

/** Of a histogram in seconds; `by` and `labels` as above. */
export function quantile(share: number, histogram: string, { by = '', labels = '' } = {}): string {
  return `histogram_quantile(${share}, ${rate(`${histogram}_bucket`, by === '' ? 'le' : `le, ${by}`, labels)})`;
}

/** How many of all, from 0 to 1; 0 where there are none at all. */
export function share(part: string, all: string): string {
  return `(${part} or vector(0)) / (${all} > 0) or vector(0)`;
}

function grouped(by: string): string {
  return by === '' ? '' : ` by (${by})`;
}
