import { graph, type Row, stat } from './panels.ts';
import { processRow, readyStats } from './parts.ts';
import { FAILED, max, quantile, rate, SUCCEEDED, share, sum } from './queries.ts';

export const OVERVIEW: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      ...readyStats(''),
      stat({
        title: 'Requests',
        description: 'Requests of clients that are answered, per second.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_gateway_requests_total'), legend: 'requests' }],
      }),
      stat({
        title: 'Failed',
        description:
          'Share of requests that were answered 408, 500 or 503: by our fault. 502 and 504 are other domains’.',
        unit: 'percentunit',
        limits: { orange: 0.001, red: 0.01 },
        queries: [
          {
            expr: share(rate('fosp_gateway_requests_total', '', FAILED), rate('fosp_gateway_requests_total')),
            legend: 'failed',
          },
        ],
      }),
      stat({
        title: 'SELECT, p99',
        description: 'From the request to its answer at the gateway: one in a hundred that succeed takes longer.',
        unit: 's',
        limits: { orange: 0.1, red: 0.5 },
        queries: [
          {
            expr: quantile(0.99, 'fosp_gateway_request_seconds', { labels: `type="SELECT",${SUCCEEDED}` }),
            legend: 'p99',
          },
        ],
      }),
      stat({
        title: 'Connections',
        description: 'Open connections of clients and other domains’ servers.',
        unit: 'short',
        queries: [{ expr: sum('fosp_gateway_sessions'), legend: 'connections' }],
      }),
      stat({
        title: 'Versions',
        description: 'Versions that run beside each other: more than one only while an upgrade is under way.',
        unit: 'none',
        limits: { orange: 2, red: 3 },
        queries: [{ expr: `count(${sum('fosp_build_info', 'version')})`, legend: 'versions' }],
      }),
    ],
  },
  {
    title: 'Requests of clients',
    panels: [
      graph({
        title: 'Requests by type',
        description: 'Answered requests per second.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_gateway_requests_total', 'type'), legend: '{{type}}' }],
      }),
      graph({
        title: 'Refused and failed, by status',
        description:
          '4xx are the clients’ to mend, 429 says that limits are reached, 5xx are ours or another domain’s.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_gateway_requests_total', 'status', 'status=~"[45].."'), legend: '{{status}}' }],
      }),
      graph({
        title: 'Duration of SELECT and UPDATE',
        description:
          'At the gateway, of those that succeed. UPDATE waits for the disk of the database, and for Redis to confirm.',
        unit: 's',
        queries: [0.5, 0.99].map((part) => ({
          expr: quantile(part, 'fosp_gateway_request_seconds', {
            by: 'type',
            labels: `type=~"SELECT|UPDATE",${SUCCEEDED}`,
          }),
          legend: `{{type}} p${part * 100}`,
        })),
      }),
    ],
  },
  {
    title: 'Freshness',
    panels: [
      graph({
        title: 'Outbox: age of the oldest change',
        description:
          'A change that is stored and not handed to the stream. Above a second or two: NATS or objects are in trouble.',
        unit: 's',
        limits: { orange: 10, red: 60 },
        queries: [{ expr: max('fosp_objects_outbox_oldest_seconds'), legend: 'oldest' }],
      }),
      graph({
        title: 'Changes not told yet',
        description:
          'In the stream, and not told to whom they concern; and the age of the oldest. Growing: notifications are too few, or stuck.',
        unit: 'short',
        queries: [
          { expr: sum('fosp_notifications_lag_changes'), legend: 'changes' },
          { expr: max('fosp_notifications_lag_seconds'), legend: 'age of the oldest', unit: 's' },
        ],
      }),
      graph({
        title: 'From the change to the notification, p99',
        description: 'The two parts of the way: until the stream has a change, and from there until all are told.',
        unit: 's',
        limits: { orange: 1, red: 10 },
        queries: [
          { expr: quantile(0.99, 'fosp_objects_relay_seconds'), legend: 'to the stream' },
          { expr: quantile(0.99, 'fosp_notifications_delay_seconds'), legend: 'to the users' },
        ],
      }),
    ],
  },
  {
    title: 'What everything needs',
    panels: [
      graph({
        title: 'Processes without Postgres, NATS, or the file store',
        description:
          'Above 0 something is away for somebody. Without Redis reads are slower, and writes take up to 5 s.',
        unit: 'none',
        limits: { orange: 1, red: 1 },
        queries: [
          { expr: `count(${max('fosp_postgres_up', 'pod')} == 0) or vector(0)`, legend: 'Postgres' },
          { expr: `count(${max('fosp_nats_connected', 'pod')} == 0) or vector(0)`, legend: 'NATS' },
          { expr: `count(${max('fosp_attachments_store_up', 'pod')} == 0) or vector(0)`, legend: 'file store' },
          { expr: `count(${max('fosp_redis_usable', 'pod', 'for="cache"')} == 0) or vector(0)`, legend: 'Redis' },
        ],
      }),
      graph({
        title: 'Other domains',
        description: 'Domains that are talked to, those that cannot be reached, and notifications that wait for them.',
        unit: 'short',
        queries: [
          { expr: sum('fosp_federation_peers'), legend: 'talked to' },
          { expr: sum('fosp_federation_peer_paused'), legend: 'unreachable' },
          { expr: sum('fosp_federation_queued'), legend: 'notifications waiting' },
        ],
      }),
      graph({
        title: 'Reads from the cache',
        description: 'Share of reads that needed no database. Low while there is much reading: look at Redis.',
        unit: 'percentunit',
        queries: [
          {
            expr: share(rate('fosp_objects_reads_total', '', 'cache="hit"'), rate('fosp_objects_reads_total')),
            legend: 'hits',
          },
        ],
      }),
    ],
  },
  processRow(''),
];
