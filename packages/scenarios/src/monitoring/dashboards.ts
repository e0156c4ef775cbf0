/** What the dashboards of `deploy/monitoring/dashboards` ask Prometheus. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { MONITORING } from './rules.ts';

/** Of Prometheus. */
export interface Query {
  /** The page, or the file of a dashboard and the panel's title. */
  readonly where: string;
  /** With every variable of Grafana replaced by one of its values. */
  readonly expression: string;
}

interface Panel {
  readonly title?: string;
  readonly targets?: readonly { readonly expr?: string }[];
  readonly panels?: readonly Panel[];
}

/** Without variables that the dashboards define, which may have any value. */
const VARIABLES: Readonly<Record<string, string>> = {
  __rate_interval: '10s',
  __interval: '10s',
  __range: '1m',
};

export function dashboardQueries(): Query[] {
  return globSync('dashboards/*.json', { cwd: MONITORING }).flatMap((file) => {
    const { panels }: { readonly panels: readonly Panel[] } = JSON.parse(readFileSync(join(MONITORING, file), 'utf8'));
    return panels.flatMap((panel) => queriesOf(panel, basename(file)));
  });
}

function queriesOf({ title = '', targets = [], panels = [] }: Panel, file: string): Query[] {
  const own = targets.flatMap(({ expr }) =>
    expr === undefined ? [] : [{ where: `${file}, ${title}`, expression: withValues(expr) }],
  );
  return [...own, ...panels.flatMap((panel) => queriesOf(panel, file))];
}

/** `$__rate_interval`, `${pod}`, `${pod:regex}`. */
function withValues(expression: string): string {
  return expression
    .replace(/=~?"\$(\w+|\{[^}]*\})"/g, '=~".*"')
    .replace(/\$\{?(\w+)(:\w+)?\}?/g, (_, name: string) => VARIABLES[name] ?? '.*');
}
