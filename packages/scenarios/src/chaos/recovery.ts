/** From samples to the time that passed until every kind of operation went well again, and at once. */
import type { Sample } from './probe.ts';

/** Milliseconds within which an answer counts as given at once. */
const AT_ONCE = 3_000;

export interface Recovery {
  /** Milliseconds from the fault to the moment from which all that was asked was answered well and at once. */
  readonly after: number;
  /** What took longest, `fresh CREATE`; empty where nothing was disturbed. */
  readonly last: string;
  /** Some have not recovered. */
  readonly isOver: boolean;
  /** For each kind, the same. */
  readonly byKind: ReadonlyMap<string, number>;
}

/** Only what was begun after the fault is looked at: what was in flight is known to be lost. */
export function recoveryOf(samples: readonly Sample[], fault: number): Recovery {
  const byKind = new Map<string, number>();
  let isOver = true;
  for (const [name, of] of groups(samples.filter(({ since }) => since >= fault))) {
    let after = 0;
    let isWell = true;
    for (const { since, until, trouble } of of.toSorted((a, b) => a.since - b.since)) {
      if (trouble !== undefined) {
        isWell = false;
      } else if (!isWell || until - since > AT_ONCE) {
        isWell = true;
        after = Math.max(after, until - fault);
      }
    }
    byKind.set(name, isWell ? after : Number.POSITIVE_INFINITY);
    isOver &&= isWell;
  }
  const [last = '', after = 0] = [...byKind].toSorted(([, a], [, b]) => b - a)[0] ?? [];
  return { after, last: after > 0 ? last : '', isOver, byKind };
}

function groups(samples: readonly Sample[]): Map<string, Sample[]> {
  return Map.groupBy(samples, ({ via, kind }) => `${via} ${kind}`);
}

/** What went wrong with samples that were begun after the fault, and how often. */
export function troublesIn(samples: readonly Sample[], fault: number): Map<string, number> {
  const bad = samples.filter(({ since, trouble }) => since >= fault && trouble !== undefined);
  const texts = bad.map(({ kind, via, trouble }) => `${via} ${kind}: ${trouble?.replace(/\S+@\S+/g, '…')}`);
  return new Map([...Map.groupBy(texts, (text) => text)].map(([text, { length }]) => [text, length]));
}
