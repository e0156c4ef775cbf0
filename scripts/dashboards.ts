/**
 * `pnpm dashboards`: Grafana's dashboards in `deploy/monitoring/dashboards`, which the chart hands to Grafana. With `--check` it
 * changes nothing, and exits 1 where they are not what it would write. Either way a query of a metric that no process has is a
 * fault: what there is, is in `docs/metrics.md`.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { ATTACHMENTS } from './dashboards/attachments.ts';
import { FEDERATION } from './dashboards/federation.ts';
import { GATEWAY } from './dashboards/gateway.ts';
import { INFRASTRUCTURE } from './dashboards/infrastructure.ts';
import { NOTIFICATIONS } from './dashboards/notifications.ts';
import { OBJECTS } from './dashboards/objects.ts';
import { OVERVIEW } from './dashboards/overview.ts';
import { DATASOURCE, type Row } from './dashboards/panels.ts';
import { commandLine } from './document.ts';

const DASHBOARDS: Readonly<Record<string, { readonly title: string; readonly rows: readonly Row[] }>> = {
  overview: { title: 'FOSP / Overview', rows: OVERVIEW },
  gateway: { title: 'FOSP / Gateway', rows: GATEWAY },
  objects: { title: 'FOSP / Objects', rows: OBJECTS },
  attachments: { title: 'FOSP / Attachments', rows: ATTACHMENTS },
  notifications: { title: 'FOSP / Notifications', rows: NOTIFICATIONS },
  federation: { title: 'FOSP / Federation', rows: FEDERATION },
  infrastructure: { title: 'FOSP / Infrastructure', rows: INFRASTRUCTURE },
};

const FOLDER = 'deploy/monitoring/dashboards';

function build(name: string, { title, rows }: { readonly title: string; readonly rows: readonly Row[] }): Dashboard {
  const dashboard = new DashboardBuilder(title)
    .uid(`fosp-${name}`)
    .tags(['fosp'])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('FOSP')
        .type(DashboardLinkType.Dashboards)
        .tags(['fosp'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(choice('namespace', 'label_values(fosp_build_info, namespace)'))
    .withVariable(choice('pod', 'label_values(fosp_build_info{namespace=~"$namespace"}, pod)'));
  let panels = 0;
  for (const row of rows) {
    dashboard.withRow(new RowBuilder(row.title).id(++panels));
    for (const panel of row.panels) {
      dashboard.withPanel(panel.id(++panels));
    }
  }
  return dashboard.build();
}

function choice(name: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(name)
    .query(query)
    .datasource(DATASOURCE)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

/** Of histograms, the metric that they are of. */
const SERIES_OF_HISTOGRAM = /_(bucket|sum|count)$/;

function unknownMetrics(name: string, text: string, known: ReadonlySet<string>): string[] {
  const named = new Set(text.match(/\b(fosp|process|nodejs)_[a-z0-9_]+\b/g));
  return [...named]
    .filter((metric) => !known.has(metric) && !known.has(metric.replace(SERIES_OF_HISTOGRAM, '')))
    .map((metric) => `${name}.json asks for ${metric}, which docs/metrics.md does not have`);
}

const { check, root } = commandLine();
const known = new Set(
  Array.from(readFileSync(`${root}docs/metrics.md`, 'utf8').matchAll(/^\| `(\w+)`/gm), ([, name = '']) => name),
);
const made = Object.entries(DASHBOARDS).map(
  ([name, dashboard]) => [name, `${JSON.stringify(build(name, dashboard), null, 2)}\n`] as const,
);
const faults = made.flatMap(([name, text]) => unknownMetrics(name, text, known));
const there = globSync(`${FOLDER}/*.json`, { cwd: root }).map((file) => basename(file, '.json'));
faults.push(...there.filter((name) => !(name in DASHBOARDS)).map((name) => `${FOLDER}/${name}.json is made by nobody`));
for (const [name, text] of made) {
  const file = `${root}${FOLDER}/${name}.json`;
  if (!check) {
    mkdirSync(`${root}${FOLDER}`, { recursive: true });
    writeFileSync(file, text);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    faults.push(`${FOLDER}/${name}.json is out of date: run npx -y pnpm@12 dashboards`);
  }
}
process.stderr.write(faults.map((fault) => `${fault}\n`).join(''));
process.exitCode = faults.length === 0 ? 0 : 1;
