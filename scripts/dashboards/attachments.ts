import { graph, type Row, stat } from './panels.ts';
import { processRow, readyStats, servedRow } from './parts.ts';
import { max, quantile, rate, sum } from './queries.ts';

export const ATTACHMENTS: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      ...readyStats('attachments|standalone'),
      stat({
        title: 'Without their store',
        description: 'Processes that cannot reach S3 or their folder: READ and WRITE are refused there.',
        unit: 'none',
        limits: { orange: 1, red: 1 },
        queries: [{ expr: `count(${max('fosp_attachments_store_up', 'pod')} == 0) or vector(0)`, legend: 'processes' }],
      }),
      stat({
        title: 'Failed',
        description: 'Transfers per second that failed by nobody’s mistake.',
        unit: 'cps',
        limits: { orange: 0.01, red: 0.1 },
        queries: [{ expr: rate('fosp_attachments_failed_total'), legend: 'failed' }],
      }),
      stat({
        title: 'Stored',
        description: 'Bytes per second that became files of objects.',
        unit: 'Bps',
        queries: [{ expr: rate('fosp_attachments_committed_bytes_total'), legend: 'bytes' }],
      }),
    ],
  },
  servedRow('attachments[.].*'),
  {
    title: 'Files',
    panels: [
      graph({
        title: 'Files stored and deleted',
        description:
          'Deleted: no object needs them any more; orphans: nobody knew of them, as after a restored database.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_attachments_committed_total'), legend: 'stored' },
          { expr: rate('fosp_attachments_deleted_total'), legend: 'deleted' },
          { expr: rate('fosp_attachments_orphans_deleted_total'), legend: 'orphans deleted' },
          { expr: rate('fosp_attachments_failed_total'), legend: 'failed' },
        ],
      }),
      graph({
        title: 'Through this service',
        description:
          'Bytes per second that do not go straight between gateway and S3: of unknown size, or too large for one piece.',
        unit: 'Bps',
        queries: [{ expr: rate('fosp_attachments_transfer_bytes_total', 'direction'), legend: '{{direction}}' }],
      }),
      graph({
        title: 'Such transfers under way, and their duration',
        description: 'An upload in parts takes 16 MiB of memory. One more than FOSP allows is answered 503.',
        unit: 'short',
        queries: [
          { expr: sum('fosp_attachments_transfers', 'direction'), legend: '{{direction}}' },
          {
            expr: quantile(0.99, 'fosp_attachments_transfer_seconds', { by: 'direction' }),
            legend: '{{direction}}, p99',
            unit: 's',
          },
        ],
      }),
    ],
  },
  {
    title: 'S3',
    panels: [
      graph({
        title: 'Requests',
        description: 'By operation, each attempt.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_s3_requests_total', 'operation'), legend: '{{operation}}' }],
      }),
      graph({
        title: 'Not answered 2xx',
        description: 'none: no answer. HeadObject 404 is an upload that never came.',
        unit: 'reqps',
        queries: [
          {
            expr: rate('fosp_s3_requests_total', 'operation, status', 'status!~"2.."'),
            legend: '{{operation}} {{status}}',
          },
        ],
      }),
      graph({
        title: 'Duration, p99',
        description: 'From the request to the head of its answer.',
        unit: 's',
        queries: [{ expr: quantile(0.99, 'fosp_s3_request_seconds', { by: 'operation' }), legend: '{{operation}}' }],
      }),
    ],
  },
  processRow('attachments|standalone'),
];
