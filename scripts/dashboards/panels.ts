/**
 * Panels as they look on all dashboards: lines of a rate, a level or a duration, and single numbers. All queries are of the
 * chosen namespace and pods; where Prometheus knows no such labels, as outside of Kubernetes, "All" stands for everything.
 */
import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

/** Units as Grafana names them. */
export type Unit = 'short' | 'reqps' | 'cps' | 's' | 'bytes' | 'Bps' | 'percentunit' | 'none' | 'bool_on_off';

export interface Query {
  readonly expr: string;
  /** Labels in double braces. */
  readonly legend: string;
  /** Another than its panel's: of graphs, it gets an axis of its own at the right. */
  readonly unit?: Unit;
}

/** Above `red`, or, where it is the smaller one, below it. */
export interface Limits {
  readonly orange: number;
  readonly red: number;
}

export interface Shown {
  readonly title: string;
  /** What it means, and what to think of when it is not as it should be. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly limits?: Limits;
}

export type Panel = StatBuilder | TimeseriesBuilder;

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A third of the width. */
const WIDTH = 8;
const HEIGHT = 8;
const STAT_WIDTH = 3;
const STAT_HEIGHT = 4;

/** Lines over time. */
export function graph({ title, description, unit, queries, limits }: Shown): Panel {
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(DATASOURCE)
    .height(HEIGHT)
    .span(WIDTH)
    .min(0)
    .lineWidth(1)
    .fillOpacity(8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(targetsOf(queries));
  for (const [index, query] of queries.entries()) {
    if (query.unit !== undefined) {
      panel.overrideByQuery(refIdOf(index), [
        { id: 'unit', value: query.unit },
        { id: 'custom.axisPlacement', value: AxisPlacement.Right },
      ]);
    }
  }
  return limits === undefined
    ? panel
    : panel
        .thresholds(thresholdsOf(limits))
        .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
}

/** The number of this moment. */
export function stat({ title, description, unit, queries, limits }: Shown): Panel {
  const panel = new StatBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(DATASOURCE)
    .height(STAT_HEIGHT)
    .span(STAT_WIDTH)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .noValue('–')
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .targets(targetsOf(queries));
  return limits === undefined ? panel : panel.thresholds(thresholdsOf(limits));
}

function refIdOf(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

function targetsOf(queries: readonly Query[]): DataqueryBuilder[] {
  return queries.map(({ expr, legend }, index) =>
    new DataqueryBuilder().refId(refIdOf(index)).datasource(DATASOURCE).expr(expr).legendFormat(legend).range(),
  );
}

function thresholdsOf({ orange, red }: Limits): ThresholdsConfigBuilder {
  const steps =
    orange <= red
      ? [
          { value: null, color: 'green' },
          { value: orange, color: 'orange' },
          { value: red, color: 'red' },
        ]
      : [
          { value: null, color: 'red' },
          { value: red, color: 'orange' },
          { value: orange, color: 'green' },
        ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
