import { graph, type Row, stat } from './panels.ts';
import { processRow, readyStats, servedRow } from './parts.ts';
import { max, of, quantile, rate, sum } from './queries.ts';

export const FEDERATION: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      ...readyStats('federation|standalone'),
      stat({
        title: 'Domains',
        description: 'Other domains that are talked to.',
        unit: 'short',
        queries: [{ expr: sum('fosp_federation_peers'), legend: 'domains' }],
      }),
      stat({
        title: 'Unreachable',
        description: 'Of these, those that are left alone for a while since they could not be reached.',
        unit: 'short',
        limits: { orange: 1, red: 10 },
        queries: [{ expr: sum('fosp_federation_peer_paused'), legend: 'domains' }],
      }),
      stat({
        title: 'Queued',
        description: 'Notifications that wait for domains.',
        unit: 'short',
        limits: { orange: 10_000, red: 100_000 },
        queries: [{ expr: sum('fosp_federation_queued'), legend: 'notifications' }],
      }),
      stat({
        title: 'Oldest',
        description: 'Age of the one that waits longest. It is dropped after FOSP_FEDERATION_QUEUE_DAYS.',
        unit: 's',
        limits: { orange: 3_600, red: 86_400 },
        queries: [{ expr: max('fosp_federation_oldest_seconds'), legend: 'age' }],
      }),
      stat({
        title: 'Certificate',
        description: 'Until the certificate that is shown to other domains ends.',
        unit: 's',
        limits: { orange: 14 * 86_400, red: 7 * 86_400 },
        queries: [
          { expr: `min(${of('fosp_federation_certificate_expiry_timestamp_seconds')}) - time()`, legend: 'left' },
        ],
      }),
    ],
  },
  {
    title: 'Requests of ours for other domains',
    panels: [
      graph({
        title: 'By type',
        description: 'Answered, by the other side or in its place.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_federation_requests_total', 'type'), legend: '{{type}}' }],
      }),
      graph({
        title: 'By status, other than success',
        description: '504: it cannot be reached. 502: what it answered is of no use.',
        unit: 'reqps',
        queries: [
          { expr: rate('fosp_federation_requests_total', 'status', 'status!~"2..|304"'), legend: '{{status}}' },
        ],
      }),
      graph({
        title: 'Duration',
        description: 'From the request to the answer of the other side.',
        unit: 's',
        queries: [0.5, 0.99].map((part) => ({
          expr: quantile(part, 'fosp_federation_request_seconds', { by: 'type' }),
          legend: `{{type}} p${part * 100}`,
        })),
      }),
    ],
  },
  {
    title: 'Per domain (fifty at most; the rest together)',
    panels: [
      graph({
        title: 'Requests that failed, or did not reach it',
        description: 'By what went wrong. One domain alone: most likely it is theirs.',
        unit: 'reqps',
        queries: [
          {
            expr: rate('fosp_federation_peer_requests_total', 'domain, outcome', 'outcome=~"failed|unreachable"'),
            legend: '{{domain}} {{outcome}}',
          },
        ],
      }),
      graph({
        title: 'Requests answered',
        description: 'Well, or with a refusal.',
        unit: 'reqps',
        queries: [
          {
            expr: rate('fosp_federation_peer_requests_total', 'domain', 'outcome=~"ok|refused"'),
            legend: '{{domain}}',
          },
        ],
      }),
      graph({
        title: 'Links, and those that could not be made',
        description: 'Open links, and attempts per second that failed.',
        unit: 'short',
        queries: [
          { expr: sum('fosp_federation_peer_links', 'domain'), legend: '{{domain}}' },
          {
            expr: rate('fosp_federation_peer_dial_failures_total', 'domain'),
            legend: '{{domain}}, failed',
            unit: 'cps',
          },
        ],
      }),
      graph({
        title: 'Notifications that wait',
        description: 'For each domain. They go on once it can be reached.',
        unit: 'short',
        queries: [{ expr: sum('fosp_federation_peer_queued', 'domain'), legend: '{{domain}}' }],
      }),
      graph({
        title: 'Age of the oldest',
        description: 'Of the notifications that wait.',
        unit: 's',
        queries: [{ expr: max('fosp_federation_peer_oldest_seconds', 'domain'), legend: '{{domain}}' }],
      }),
      graph({
        title: 'Requests waiting for a link',
        description: 'Growing: its links are too few, or it is slow.',
        unit: 'short',
        queries: [{ expr: sum('fosp_federation_peer_waiting', 'domain'), legend: '{{domain}}' }],
      }),
    ],
  },
  {
    title: 'Notifications and files',
    panels: [
      graph({
        title: 'Notifications for other domains',
        description: 'sent and acknowledged keep pace; the rest was dropped, by why.',
        unit: 'cps',
        queries: [{ expr: rate('fosp_federation_notifications_total', 'what'), legend: '{{what}}' }],
      }),
      graph({
        title: 'Files',
        description: 'Bytes per second to and from other domains, on requests of ours and of theirs.',
        unit: 'Bps',
        queries: [
          { expr: rate('fosp_federation_file_bytes_total', 'direction'), legend: 'ours, {{direction}}' },
          { expr: rate('fosp_federation_served_bytes_total', 'direction'), legend: 'theirs, {{direction}}' },
        ],
      }),
      graph({
        title: 'Looking domains up, and believing their servers',
        description: 'Claims that are not proven: somebody poses as a domain, or its name system is wrong.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_federation_lookups_total', 'result'), legend: 'lookup: {{result}}' },
          { expr: rate('fosp_federation_claims_total', 'result'), legend: 'claim: {{result}}' },
        ],
      }),
    ],
  },
  servedRow('federation[.].*'),
  processRow('federation|standalone'),
];
