import { graph, type Row, stat } from './panels.ts';
import { processRow, readyStats, servedRow } from './parts.ts';
import { max, quantile, rate, share, sum } from './queries.ts';

export const OBJECTS: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      ...readyStats('objects|standalone'),
      stat({
        title: 'Outbox',
        description: 'Changes that are stored and not handed to the stream: of the one database, whoever tells it.',
        unit: 'short',
        limits: { orange: 1_000, red: 10_000 },
        queries: [{ expr: max('fosp_objects_outbox_events'), legend: 'changes' }],
      }),
      stat({
        title: 'Oldest',
        description: 'Age of the oldest change in the outbox.',
        unit: 's',
        limits: { orange: 10, red: 60 },
        queries: [{ expr: max('fosp_objects_outbox_oldest_seconds'), legend: 'age' }],
      }),
      stat({
        title: 'Cache hits',
        description: 'Share of reads that needed no database.',
        unit: 'percentunit',
        queries: [
          {
            expr: share(rate('fosp_objects_reads_total', '', 'cache="hit"'), rate('fosp_objects_reads_total')),
            legend: 'hits',
          },
        ],
      }),
      stat({
        title: 'Without Postgres',
        description: 'Processes that cannot reach the database.',
        unit: 'none',
        limits: { orange: 1, red: 1 },
        queries: [{ expr: `count(${max('fosp_postgres_up', 'pod')} == 0) or vector(0)`, legend: 'processes' }],
      }),
      stat({
        title: 'Refused',
        description: 'Reads and writes per second that were told to come back, since too many wait for the database.',
        unit: 'cps',
        limits: { orange: 0.1, red: 1 },
        queries: [{ expr: rate('fosp_postgres_refused_total'), legend: 'refused' }],
      }),
    ],
  },
  servedRow('objects[.].*', 'Objects'),
  servedRow('(accounts|domains)[.].*', 'Accounts'),
  {
    title: 'Changes on their way to the stream',
    panels: [
      graph({
        title: 'Outbox',
        description: 'How many changes wait; 10,000 are that many or more.',
        unit: 'short',
        queries: [{ expr: max('fosp_objects_outbox_events'), legend: 'changes' }],
      }),
      graph({
        title: 'Age of the oldest, and delay',
        description: 'Age of the oldest change that waits, and how long those took that left.',
        unit: 's',
        limits: { orange: 10, red: 60 },
        queries: [
          { expr: max('fosp_objects_outbox_oldest_seconds'), legend: 'oldest' },
          { expr: quantile(0.5, 'fosp_objects_relay_seconds'), legend: 'p50' },
          { expr: quantile(0.99, 'fosp_objects_relay_seconds'), legend: 'p99' },
        ],
      }),
      graph({
        title: 'Changes relayed, and failures',
        description: 'Failures are tried again, and hold up the later changes of their tree.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_objects_events_relayed_total'), legend: 'relayed' },
          { expr: rate('fosp_objects_relay_failures_total'), legend: 'failed' },
          { expr: sum('fosp_objects_relaying_trees'), legend: 'trees at the moment', unit: 'short' },
        ],
      }),
    ],
  },
  {
    title: 'Postgres',
    panels: [
      graph({
        title: 'Connections in use',
        description: 'Share of those that a process may open, by what they are for.',
        unit: 'percentunit',
        limits: { orange: 0.8, red: 1 },
        queries: [
          {
            expr: `${sum('fosp_postgres_connections', 'pool', 'state="in-use"')} / ${sum('fosp_postgres_connections_limit', 'pool')}`,
            legend: '{{pool}}',
          },
        ],
      }),
      graph({
        title: 'Waiting',
        description:
          'Who waits for a connection, or for an earlier write to the same tree; of reads, statements without an answer.',
        unit: 'short',
        queries: [{ expr: sum('fosp_postgres_waiting', 'pool'), legend: '{{pool}}' }],
      }),
      graph({
        title: 'Round trips, p50 and p99',
        description: 'From statements that travel together to their answer. Of writes, COMMIT waits for the disk.',
        unit: 's',
        queries: [0.5, 0.99].map((part) => ({
          expr: quantile(part, 'fosp_postgres_round_trip_seconds', { by: 'pool' }),
          legend: `{{pool}} p${part * 100}`,
        })),
      }),
    ],
  },
  {
    title: 'Cache',
    panels: [
      graph({
        title: 'Reads',
        description: 'With what the cache had, and without.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_objects_reads_total', 'cache'), legend: '{{cache}}' }],
      }),
      graph({
        title: 'Redis: duration, p99',
        description:
          'get waits 25 ms at most and then asks the database; set waits longer, since a success depends on it.',
        unit: 's',
        queries: [{ expr: quantile(0.99, 'fosp_redis_request_seconds', { by: 'request' }), legend: '{{request}}' }],
      }),
      graph({
        title: 'Redis: requests that failed',
        description: 'Refused, or not answered in time. After five in a row Redis is left alone for a moment.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_redis_requests_total', 'request', 'outcome="failed"'), legend: '{{request}}' }],
      }),
    ],
  },
  {
    title: 'Logins',
    panels: [
      graph({
        title: 'Wrong names and passwords, and refusals',
        description: 'Refusals: an address or account had too many of them in a minute.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_objects_login_failures_total'), legend: 'wrong' },
          { expr: rate('fosp_objects_refused_total', 'what'), legend: 'refused: {{what}}' },
        ],
      }),
    ],
  },
  processRow('objects|standalone'),
];
