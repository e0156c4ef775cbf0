import { graph, type Row, stat } from './panels.ts';
import { processRow, readyStats } from './parts.ts';
import { FAILED, max, of, quantile, rate, SUCCEEDED, share, sum } from './queries.ts';

export const GATEWAY: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      ...readyStats('gateway|standalone'),
      stat({
        title: 'Connections',
        description: 'Share of the connections that these gateways take (FOSP_LIMIT_CONNECTIONS).',
        unit: 'percentunit',
        limits: { orange: 0.7, red: 0.9 },
        queries: [{ expr: share(sum('fosp_gateway_sessions'), sum('fosp_gateway_sessions_limit')), legend: 'taken' }],
      }),
      stat({
        title: 'Turned away',
        description: 'Connections that were not taken, per second.',
        unit: 'cps',
        limits: { orange: 0.1, red: 1 },
        queries: [{ expr: rate('fosp_gateway_turned_away_total'), legend: 'turned away' }],
      }),
      stat({
        title: 'Certificate',
        description: 'Until the certificate of the wss port ends; it is read again when its file changes.',
        unit: 's',
        limits: { orange: 14 * 86_400, red: 7 * 86_400 },
        queries: [{ expr: `min(${of('fosp_gateway_certificate_expiry_timestamp_seconds')}) - time()`, legend: 'left' }],
      }),
      stat({
        title: 'In flight',
        description: 'Requests that are not answered.',
        unit: 'short',
        queries: [{ expr: sum('fosp_gateway_requests_in_flight'), legend: 'requests' }],
      }),
      stat({
        title: 'Gaps',
        description:
          'Times in the last hour that notifications may have been lost, so that all connections of a gateway were closed.',
        unit: 'none',
        limits: { orange: 1, red: 2 },
        queries: [{ expr: `sum(increase(${of('fosp_gateway_gaps_total')}[1h]))`, legend: 'gaps' }],
      }),
    ],
  },
  {
    title: 'Requests',
    panels: [
      graph({
        title: 'Requests by type',
        description: 'Answered requests per second.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_gateway_requests_total', 'type'), legend: '{{type}}' }],
      }),
      graph({
        title: 'By status, other than success',
        description:
          '503: a service is away or too busy. 408: it did not answer in time. 429: limits of logins and registrations.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_gateway_requests_total', 'status', 'status!~"2..|304"'), legend: '{{status}}' }],
      }),
      graph({
        title: 'Failed, by type',
        description: 'By our fault: answered 408, 500 or 503, per second. 502 and 504 are other domains’.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_gateway_requests_total', 'type, status', FAILED), legend: '{{type}} {{status}}' }],
      }),
      graph({
        title: 'Duration, p50',
        description: 'From the request to its answer, of those that succeeded.',
        unit: 's',
        queries: [
          {
            expr: quantile(0.5, 'fosp_gateway_request_seconds', { by: 'type', labels: SUCCEEDED }),
            legend: '{{type}}',
          },
        ],
      }),
      graph({
        title: 'Duration, p99',
        description: 'One in a hundred that succeed takes longer. AUTHENTICATE takes what a password costs to hash.',
        unit: 's',
        queries: [
          {
            expr: quantile(0.99, 'fosp_gateway_request_seconds', { by: 'type', labels: SUCCEEDED }),
            legend: '{{type}}',
          },
        ],
      }),
      graph({
        title: 'Duration of what was refused or failed, p99',
        description:
          '4xx long: something is looked at for long to be refused. 5xx long: somebody was waited for in vain.',
        unit: 's',
        queries: [
          {
            expr: quantile(0.99, 'fosp_gateway_request_seconds', { by: 'type, class', labels: 'class=~"4xx|5xx"' }),
            legend: '{{type}} {{class}}',
          },
        ],
      }),
      graph({
        title: 'Requests per gateway',
        description: 'Far apart: the load balancer does not spread connections.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_gateway_requests_total', 'pod'), legend: '{{pod}}' }],
      }),
    ],
  },
  {
    title: 'Connections',
    panels: [
      graph({
        title: 'Open connections',
        description: 'Per gateway.',
        unit: 'short',
        queries: [{ expr: sum('fosp_gateway_sessions', 'pod'), legend: '{{pod}}' }],
      }),
      graph({
        title: 'Opened, closed, turned away',
        description:
          'Codes: 1000 and 1001 are ends as usual, 1012 a restart, 1013 a client that does not read, 1008 a login that was due.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_gateway_connections_total'), legend: 'opened' },
          { expr: rate('fosp_gateway_closed_total', 'code'), legend: 'closed {{code}}' },
          { expr: rate('fosp_gateway_turned_away_total', 'reason'), legend: 'turned away: {{reason}}' },
        ],
      }),
      graph({
        title: 'Waiting to come in',
        description:
          'Connections that are let in at a bounded pace, and those whose load balancer has not said yet whose they are.',
        unit: 'short',
        queries: [
          { expr: sum('fosp_gateway_arrivals_waiting'), legend: 'for their turn' },
          { expr: sum('fosp_gateway_headers_awaited'), legend: 'for their header' },
        ],
      }),
    ],
  },
  {
    title: 'Saturation',
    panels: [
      graph({
        title: 'Unread by clients',
        description: 'Bytes that wait to be sent, of all clients of a gateway, and of the one that reads slowest.',
        unit: 'bytes',
        queries: [
          { expr: sum('fosp_gateway_send_queue_bytes', 'pod'), legend: '{{pod}}' },
          { expr: max('fosp_gateway_send_queue_largest_bytes'), legend: 'the slowest client' },
        ],
      }),
      graph({
        title: 'Messages in transit',
        description: 'Share of FOSP_TRANSFER_MEMORY. From three quarters on large messages wait for their turn.',
        unit: 'percentunit',
        limits: { orange: 0.5, red: 0.75 },
        queries: [
          {
            expr: `${sum('fosp_gateway_transit_bytes', 'pod')} / ${sum('fosp_gateway_transit_limit_bytes', 'pod')}`,
            legend: '{{pod}}',
          },
        ],
      }),
      graph({
        title: 'Password hashes waiting and running',
        description: 'Share of what may be; one more login is answered 429.',
        unit: 'percentunit',
        limits: { orange: 0.5, red: 0.9 },
        queries: [
          {
            expr: `${sum('fosp_gateway_hashes', 'pod')} / ${sum('fosp_gateway_hashes_limit', 'pod')}`,
            legend: '{{pod}}',
          },
        ],
      }),
    ],
  },
  {
    title: 'Notifications and files',
    panels: [
      graph({
        title: 'Notifications',
        description:
          'Sent to sessions; dropped since one source told one user too much; come twice, as after a takeover.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_gateway_notifications_total'), legend: 'sent' },
          { expr: rate('fosp_gateway_notifications_dropped_total'), legend: 'dropped' },
          { expr: rate('fosp_gateway_notifications_repeated_total'), legend: 'repeated' },
        ],
      }),
      graph({
        title: 'Files',
        description: 'Bytes per second of attachments, up from clients and down to them.',
        unit: 'Bps',
        queries: [{ expr: rate('fosp_gateway_attachment_bytes_total', 'direction'), legend: '{{direction}}' }],
      }),
      graph({
        title: 'Files under way, and failed',
        description: 'Failed: the store refused or broke off, or the way to the client did (cut).',
        unit: 'short',
        queries: [
          { expr: sum('fosp_gateway_transfers', 'direction'), legend: '{{direction}}' },
          { expr: rate('fosp_gateway_transfer_failures_total', 'why'), legend: 'failed: {{why}}', unit: 'cps' },
        ],
      }),
    ],
  },
  {
    title: 'What it asks of other services',
    panels: [
      graph({
        title: 'Calls that got no answer, or a bad one',
        description: 'no-responders: nobody serves it. overloaded: all who do are full. deadline: too late.',
        unit: 'reqps',
        queries: [
          {
            expr: rate(
              'fosp_bus_asked_total',
              'call, outcome',
              'outcome=~"no-responders|overloaded|deadline|closed|failed|internal|unavailable|timeout"',
            ),
            legend: '{{call}} {{outcome}}',
          },
        ],
      }),
      graph({
        title: 'Duration of calls, p99',
        description: 'With the way over NATS: compare it with what the services themselves say.',
        unit: 's',
        queries: [{ expr: quantile(0.99, 'fosp_bus_asked_seconds', { by: 'call' }), legend: '{{call}}' }],
      }),
      graph({
        title: 'Calls waiting for their answer',
        description: 'Piling up at one name: look at the service that serves it.',
        unit: 'short',
        queries: [{ expr: sum('fosp_bus_asking', 'call'), legend: '{{call}}' }],
      }),
    ],
  },
  processRow('gateway|standalone'),
];
