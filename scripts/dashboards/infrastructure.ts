import { graph, type Row } from './panels.ts';
import { processRow } from './parts.ts';
import { max, quantile, rate, sum } from './queries.ts';

export const INFRASTRUCTURE: readonly Row[] = [
  {
    title: 'NATS',
    panels: [
      graph({
        title: 'Connected',
        description: 'Processes whose link to NATS is up, and links that broke per second.',
        unit: 'short',
        queries: [
          { expr: sum('fosp_nats_connected'), legend: 'connected' },
          { expr: rate('fosp_nats_disconnects_total'), legend: 'broken', unit: 'cps' },
        ],
      }),
      graph({
        title: 'Leases',
        description:
          'trees: 32 parts of all trees; notifications: 16 partitions; peer: one per domain that is talked to.',
        unit: 'short',
        queries: [
          { expr: sum('fosp_nats_leases_held', 'kind'), legend: '{{kind}}' },
          { expr: rate('fosp_nats_lease_losses_total'), legend: 'lost', unit: 'cps' },
        ],
      }),
      graph({
        title: 'Streams',
        description:
          'Messages that JetStream confirmed, or not, and those that wait for it. overloaded: a stream is full.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_nats_appends_total', 'stream, outcome'), legend: '{{stream}} {{outcome}}' },
          { expr: sum('fosp_nats_appends_waiting'), legend: 'waiting', unit: 'short' },
        ],
      }),
    ],
  },
  {
    title: 'Calls between services',
    panels: [
      graph({
        title: 'Asked, by outcome',
        description:
          'ok, refusals as usual, and what must not be: no-responders, overloaded, deadline, closed. elsewhere is as usual.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_bus_asked_total', 'outcome'), legend: '{{outcome}}' }],
      }),
      graph({
        title: 'The way over NATS, p99',
        description: 'From asking to the answer, and the part of it that was work.',
        unit: 's',
        queries: [
          {
            expr: quantile(0.99, 'fosp_bus_asked_seconds', { labels: 'call="objects.select"' }),
            legend: 'SELECT, asked',
          },
          {
            expr: quantile(0.99, 'fosp_bus_served_seconds', { labels: 'call="objects.select"' }),
            legend: 'SELECT, worked at',
          },
        ],
      }),
      graph({
        title: 'Worked at',
        description: 'Calls that handlers run for, per service’s process.',
        unit: 'short',
        queries: [{ expr: sum('fosp_bus_serving', 'pod'), legend: '{{pod}}' }],
      }),
    ],
  },
  {
    title: 'Postgres and Redis',
    panels: [
      graph({
        title: 'Connections to Postgres',
        description: 'Open ones, by what they are for: their sum must stay below max_connections.',
        unit: 'short',
        queries: [{ expr: sum('fosp_postgres_connections', 'pool, state'), legend: '{{pool}} {{state}}' }],
      }),
      graph({
        title: 'Opened and lost',
        description: 'Connections per second: both together show a database that restarts, or a proxy that cuts.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_postgres_connections_opened_total'), legend: 'opened' },
          { expr: rate('fosp_postgres_connections_lost_total'), legend: 'lost' },
          { expr: rate('fosp_postgres_refused_total', 'what'), legend: 'refused: {{what}}' },
        ],
      }),
      graph({
        title: 'Redis is asked',
        description: 'Processes that find it usable: for the cache, and for counting wrong passwords.',
        unit: 'short',
        queries: [
          { expr: sum('fosp_redis_usable', 'for'), legend: '{{for}}' },
          { expr: rate('fosp_redis_requests_total', 'outcome'), legend: 'requests: {{outcome}}', unit: 'reqps' },
        ],
      }),
    ],
  },
  processRow(''),
  {
    title: 'Memory and garbage',
    panels: [
      graph({
        title: 'JavaScript heap',
        description: 'In use, per process.',
        unit: 'bytes',
        queries: [{ expr: sum('nodejs_heap_size_used_bytes', 'pod'), legend: '{{pod}}' }],
      }),
      graph({
        title: 'Time spent on garbage',
        description: 'Share of the time, per process.',
        unit: 'percentunit',
        limits: { orange: 0.1, red: 0.3 },
        queries: [{ expr: rate('nodejs_gc_duration_seconds_sum', 'pod'), legend: '{{pod}}' }],
      }),
      graph({
        title: 'Open files',
        description: 'File descriptors, per process: connections are most of them.',
        unit: 'short',
        queries: [{ expr: max('process_open_fds', 'pod'), legend: '{{pod}}' }],
      }),
    ],
  },
];
