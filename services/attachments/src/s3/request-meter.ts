import type { S3Client } from '@aws-sdk/client-s3';
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

/**
 * Counts and times each attempt at a request that the driver sends, by the operation's name and the status of the answer.
 * URLs that are signed for others are no requests.
 */
export function meterRequests({ middlewareStack }: S3Client, { requests, durations }: RequestMeters): void {
  middlewareStack.add(
    (next, { commandName = '' }) =>
      async (request) => {
        const operation = String(commandName).replace(/Command$/, '');
        const begun = performance.now();
        let status = NO_ANSWER;
        try {
          const answer = await next(request);
          status = statusIn(answer.response) ?? NO_ANSWER;
          return answer;
        } catch (error) {
          status = statusIn(property(error, '$response')) ?? NO_ANSWER;
          throw error;
        } finally {
          requests.with({ operation, status }).add();
          durations.with({ operation }).observe((performance.now() - begun) / 1000);
        }
      },
    { step: 'deserialize', priority: 'high', name: 'fospRequestMeter' },
  );
}

function statusIn(response: unknown): string | undefined {
  const status = property(response, 'statusCode');
  return typeof status === 'number' ? String(status) : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
