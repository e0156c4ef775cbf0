/** One line of the report: a figure, and what it is held to. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Where it is compared with something else of the same run, mostly the floor: how much of it. */
  readonly ratio?: number;
  readonly target?: { readonly of: 'value' | 'ratio'; readonly atLeast?: number; readonly atMost?: number };
}

export function isMet(figure: Figure): boolean | undefined {
  if (figure.target === undefined) {
    return undefined;
  }
  const { of, atLeast, atMost } = figure.target;
  const measured = of === 'ratio' ? (figure.ratio ?? Number.NaN) : figure.value;
  return (atLeast === undefined || measured >= atLeast) && (atMost === undefined || measured <= atMost);
}

/** A Markdown table; `ratios` says of what they are. */
export function table(figures: readonly Figure[], ratios = 'of the floor'): string {
  const rows = figures.map((figure) => {
    const ratio = figure.ratio === undefined ? '' : figure.ratio.toFixed(2);
    return `| ${figure.name} | ${rounded(figure.value)} ${figure.unit} | ${ratio} | ${targetText(figure, ratios)} |`;
  });
  return [`| what | measured | ${ratios} | target |`, '| --- | --- | --- | --- |', ...rows].join('\n');
}

function targetText(figure: Figure, ratios: string): string {
  const { target } = figure;
  if (target === undefined) {
    return '';
  }
  const bound = target.atLeast === undefined ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
  return `${bound}${target.of === 'ratio' ? ` ${ratios}` : ` ${figure.unit}`} ${isMet(figure) ? 'met' : 'MISSED'}`;
}

function rounded(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
