import type { CounterCell, HistogramCell, Labelled, Metrics } from '@fosp/runtime';

/** Of a request that got no answer. */
const NO_ANSWER = 'none';

export interface RequestMeters {
  readonly requests: Labelled<'operation' | 'status', CounterCell>;
  /** Seconds. */
  readonly durations: Labelled<'operation', HistogramCell>;
}

export function createRequestMeters(metrics: Metrics): RequestMeters {
  return {
    requests: metrics.counters(
      'fosp_s3_requests_total',
      'Requests to S3 of this process, each attempt, by the status of the answer; none where there was no answer.',
      ['operation', 'status'],
    ),
    durations: metrics.histograms('fosp_s3_request_seconds', 'From such a request to the head of its answer.', {
      labelNames: ['operation'],
    }),
  };
}

/** Counts and times one attempt at a request, by the operation's name and the status of the answer. */
export async function metered<Answer extends { readonly response: unknown }>(
  { requests, durations }: RequestMeters,
  operation: string,
  send: () => Promise<Answer>,
): Promise<Answer> {
  const begun = performance.now();
  let status = NO_ANSWER;
  try {
    const answer = await send();
    status = statusIn(answer.response) ?? NO_ANSWER;
    return answer;
  } catch (error) {
    status = statusIn(property(error, '$response')) ?? NO_ANSWER;
    throw error;
  } finally {
    requests.with({ operation, status }).add();
    durations.with({ operation }).observe((performance.now() - begun) / 1000);
  }
}

function statusIn(response: unknown): string | undefined {
  const status = property(response, 'statusCode');
  return typeof status === 'number' ? String(status) : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
