/** Rows that several dashboards have. */
import { graph, type Panel, type Row, stat } from './panels.ts';
import { max, of, quantile, rate, sum } from './queries.ts';

const PER_POD = '{{pod}}';

/** What the processes of a service take; standalone and what runs outside of Kubernetes have no label `service`. */
export function processRow(service: string): Row {
  const own = service === '' ? '' : `service=~"${service}|"`;
  return {
    title: 'Processes',
    panels: [
      graph({
        title: 'CPU',
        description:
          'Cores that each process takes. JavaScript runs on one; what is above it is hashing, files and garbage.',
        unit: 'short',
        limits: { orange: 0.8, red: 1 },
        queries: [{ expr: rate('process_cpu_seconds_total', 'pod', own), legend: PER_POD }],
      }),
      graph({
        title: 'Memory',
        description: 'Resident memory of each process: compare it with the limit of its container.',
        unit: 'bytes',
        queries: [{ expr: sum('process_resident_memory_bytes', 'pod', own), legend: PER_POD }],
      }),
      graph({
        title: 'Event loop lag, p99',
        description: 'How late a process gets to what is due. Above 100 ms everything it does is late.',
        unit: 's',
        limits: { orange: 0.1, red: 0.5 },
        queries: [{ expr: max('nodejs_eventloop_lag_p99_seconds', 'pod', own), legend: PER_POD }],
      }),
    ],
  };
}

/** Calls of these names that are answered: rate, errors, duration. `calls` is a regular expression. */
export function servedRow(calls: string, title = 'Calls answered'): Row {
  const own = `call=~"${calls}"`;
  return {
    title,
    panels: [
      graph({
        title: 'Calls',
        description: 'Calls of other services that are answered, by name.',
        unit: 'reqps',
        queries: [{ expr: rate('fosp_bus_served_total', 'call', own), legend: '{{call}}' }],
      }),
      graph({
        title: 'Calls that failed',
        description:
          'Answers that say that something is wrong here: internal, unavailable, timeout. What clients do wrong is not among them.',
        unit: 'reqps',
        queries: [
          {
            expr: rate(
              'fosp_bus_served_total',
              'call, outcome',
              `${own},outcome=~"internal|unavailable|timeout|bad-gateway"`,
            ),
            legend: '{{call}} {{outcome}}',
          },
        ],
      }),
      graph({
        title: 'Duration, p99',
        description: 'How long calls are worked at: one in a hundred takes longer.',
        unit: 's',
        queries: [{ expr: quantile(0.99, 'fosp_bus_served_seconds', { by: 'call', labels: own }), legend: '{{call}}' }],
      }),
    ],
  };
}

/** Whether the processes of a service are there. */
export function readyStats(service: string): Panel[] {
  const own = service === '' ? '' : `service=~"${service}|"`;
  return [
    stat({
      title: 'Ready',
      description: 'Processes that /readyz says may be given work.',
      unit: 'none',
      limits: { orange: 2, red: 1 },
      queries: [{ expr: sum('fosp_ready', '', own), legend: 'ready' }],
    }),
    stat({
      title: 'Not ready',
      description: 'Processes that start, drain, or miss what they need: /readyz of each says what.',
      unit: 'none',
      limits: { orange: 1, red: 2 },
      queries: [{ expr: `count(${of('fosp_ready', own)} == 0) or vector(0)`, legend: 'not ready' }],
    }),
    stat({
      title: 'Youngest',
      description: 'Since when the process that was started last runs: a crash that repeats keeps it small.',
      unit: 's',
      queries: [{ expr: `time() - ${max('process_start_time_seconds', '', own)}`, legend: 'age' }],
    }),
  ];
}
