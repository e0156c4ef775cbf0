import { graph, type Row, stat } from './panels.ts';
import { processRow, readyStats } from './parts.ts';
import { max, quantile, rate, sum } from './queries.ts';

export const NOTIFICATIONS: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      ...readyStats('notifications|standalone'),
      stat({
        title: 'Partitions',
        description: 'Of the stream of changes, that somebody takes: 16, or changes of some trees are told nobody.',
        unit: 'none',
        limits: { orange: 16, red: 15 },
        queries: [{ expr: sum('fosp_notifications_partitions_owned'), legend: 'partitions' }],
      }),
      stat({
        title: 'Behind',
        description: 'Changes that are not told yet.',
        unit: 'short',
        limits: { orange: 1_000, red: 10_000 },
        queries: [{ expr: sum('fosp_notifications_lag_changes'), legend: 'changes' }],
      }),
      stat({
        title: 'Oldest',
        description: 'Age of the oldest change that is not told yet.',
        unit: 's',
        limits: { orange: 10, red: 60 },
        queries: [{ expr: max('fosp_notifications_lag_seconds'), legend: 'age' }],
      }),
    ],
  },
  {
    title: 'Changes',
    panels: [
      graph({
        title: 'Changes told',
        description: 'Repeats are dropped; failures are tried again, and hold up the later changes of their tree.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_notifications_changes_total'), legend: 'told' },
          { expr: rate('fosp_notifications_repeats_total'), legend: 'repeated' },
          { expr: rate('fosp_notifications_failures_total'), legend: 'failed' },
        ],
      }),
      graph({
        title: 'Notifications made of them',
        description: 'For users of ours, and of other domains; dropped where there is no federation.',
        unit: 'cps',
        queries: [
          { expr: rate('fosp_notifications_delivered_total'), legend: 'ours' },
          { expr: rate('fosp_notifications_remote_total'), legend: 'of other domains' },
          { expr: rate('fosp_notifications_remote_dropped_total'), legend: 'dropped' },
        ],
      }),
      graph({
        title: 'Delay and duration',
        description: 'Delay: from the stream’s having a change until all are told. Duration: of the telling alone.',
        unit: 's',
        limits: { orange: 1, red: 10 },
        queries: [
          { expr: quantile(0.5, 'fosp_notifications_delay_seconds'), legend: 'delay p50' },
          { expr: quantile(0.99, 'fosp_notifications_delay_seconds'), legend: 'delay p99' },
          { expr: quantile(0.99, 'fosp_notifications_change_seconds'), legend: 'duration p99' },
        ],
      }),
    ],
  },
  {
    title: 'How far behind',
    panels: [
      graph({
        title: 'Changes not told, per partition',
        description: 'One alone that grows: a tree in it is told too much, or its change fails again and again.',
        unit: 'short',
        queries: [{ expr: max('fosp_notifications_lag_changes', 'partition'), legend: '{{partition}}' }],
      }),
      graph({
        title: 'Age of the oldest, per partition',
        description: 'By the clocks of NATS and of the process.',
        unit: 's',
        limits: { orange: 10, red: 60 },
        queries: [{ expr: max('fosp_notifications_lag_seconds', 'partition'), legend: '{{partition}}' }],
      }),
      graph({
        title: 'Partitions per process',
        description: 'Even, but for a moment after one comes or goes.',
        unit: 'none',
        queries: [{ expr: sum('fosp_notifications_partitions_owned', 'pod'), legend: '{{pod}}' }],
      }),
    ],
  },
  processRow('notifications|standalone'),
];
