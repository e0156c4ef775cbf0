/** What came of a campaign: as a page to read, or as JSON; and whether it has seen what it must to mean anything. */
import type { ChaosResult, Outage } from './campaign.ts';
import type { PhaseTally } from './tally.ts';

/** Milliseconds within which there is to be full service again after a pod was killed. */
export const FULL_SERVICE_WITHIN = 5_000;

export interface Demands {
  /** Was anything under the pods to be away? */
  readonly withFaults: boolean;
  /** Only what is certain however slow the machine, and however short the campaign; all otherwise. */
  readonly isShort?: boolean;
}

/** What stayed at zero and must not. */
export function lacking(
  { tally, kills, faults }: Pick<ChaosResult, 'tally' | 'kills' | 'faults'>,
  { withFaults, isShort = false }: Demands,
): string[] {
  const { counts } = tally;
  const certain = {
    'changes acknowledged': counts.acknowledged,
    notifications: counts.notifications,
    'connections that stayed': counts.connectionsStayed,
    'connections lost': counts.connectionsLost,
    'pods killed': kills.length,
    ...(withFaults ? { faults: faults.length } : {}),
  };
  const likely = {
    'files written': counts.filesWritten,
    'files read': counts.filesRead,
    'cache hits': counts.cacheHits,
    ...(withFaults ? { 'outcomes unknown': counts.unknown, 'of these found out': counts.settled } : {}),
  };
  const needed = isShort ? certain : { ...certain, ...likely };
  return Object.entries(needed).flatMap(([what, count]) => (count > 0 ? [] : [`no ${what}`]));
}

/** Kills after which full service took longer than it may. */
export function late({ kills }: Pick<ChaosResult, 'kills'>): string[] {
  return kills.flatMap(({ what, recovery, latestNotification }) => [
    ...(recovery.after > FULL_SERVICE_WITHIN ? [`${what}: ${secondsText(recovery.after)} (${recovery.last})`] : []),
    ...(latestNotification > FULL_SERVICE_WITHIN
      ? [`${what}: a notification came ${secondsText(latestNotification)} after its change`]
      : []),
  ]);
}

export interface ReportOptions {
  readonly seed: string;
  readonly isJson: boolean;
  /** See `lacking`. */
  readonly lacks: readonly string[];
}

export function report(result: ChaosResult, options: ReportOptions): string {
  return options.isJson ? `${JSON.stringify(asJson(result, options), undefined, 2)}\n` : asPage(result, options);
}

function asJson(result: ChaosResult, { seed, lacks }: ReportOptions): Record<string, unknown> {
  const { tally } = result;
  return {
    ...{ seed, seconds: Math.round(result.seconds), counts: tally.counts },
    outages: summaries(outagesOf(result)),
    troubles: troubleLines(result),
    phases: tally.phases.map(({ answers, closeCodes, ...phase }) => ({
      ...phase,
      answers: Object.fromEntries(answers),
      closeCodes: Object.fromEntries(closeCodes),
    })),
    ...{ late: late(result), lacking: lacks, wrongCount: tally.wrongCount, wrong: tally.wrong },
  };
}

function asPage(result: ChaosResult, { seed, lacks }: ReportOptions): string {
  const { counts, phases, wrong, wrongCount } = result.tally;
  const lines = [
    `seed ${seed}, ${Math.round(result.seconds)} s`,
    '',
    ...Object.entries(counts).map(([what, count]) => `  ${what}: ${JSON.stringify(count)}`),
    '',
    '| what | times | away, median | full service after, median | longest | of which last | latest notification | connections stayed |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...summaries(outagesOf(result)).map(
      (one) =>
        `| ${[one.what, one.times, one.away, one.median, one.longest, one.last, one.latestNotification, one.connectionsStayed].join(' | ')} |`,
    ),
    '',
    ...phases.flatMap(phaseLines),
    '',
    'What went wrong with probes:',
    ...troubleLines(result),
    '',
    ...late(result).map((text) => `LATE: ${text}`),
    ...lacks.map((text) => `LACKING: ${text}`),
    wrongCount === 0 ? 'Nothing wrong.' : `${wrongCount} WRONG:`,
    ...wrong,
  ];
  return `${lines.join('\n')}\n`;
}

function phaseLines(phase: PhaseTally): string[] {
  const { answers, closeCodes, latestNotification, latestNotificationOf, longestWait, longestWaitFor } = phase;
  return [
    `${phase.name}: ${phase.requests} requests, the longest took ${secondsText(longestWait)} (${longestWaitFor})`,
    `    the latest notification by ${secondsText(latestNotification)} (${latestNotificationOf})`,
    ...[...answers].map(([answer, count]) => `    ${count} x ${answer}`),
    ...[...closeCodes].map(([code, count]) => `    ${count} x closed: ${code}`),
  ];
}

function outagesOf({ nothing, kills, faults }: ChaosResult): Outage[] {
  return [nothing, ...kills, ...faults];
}

function troubleLines(result: ChaosResult): string[] {
  return outagesOf(result).flatMap(({ what, troubles }) =>
    [...troubles].map(([text, count]) => `    ${what}: ${count} x ${text}`),
  );
}

interface Summary {
  readonly what: string;
  readonly times: number;
  readonly away: string;
  readonly median: string;
  readonly longest: string;
  readonly last: string;
  readonly latestNotification: string;
  readonly connectionsStayed: string;
}

function summaries(outages: readonly Outage[]): Summary[] {
  return [...Map.groupBy(outages, ({ what }) => what)].map(([what, of]) => {
    const sorted = of.toSorted((a, b) => a.recovery.after - b.recovery.after);
    const longest = sorted.at(-1)?.recovery;
    const before = of.reduce((sum, { connections }) => sum + connections.before, 0);
    const stayed = of.reduce((sum, { connections }) => sum + connections.stayed, 0);
    return {
      what,
      times: of.length,
      away: secondsText(median(of.map(({ away }) => away))),
      median: secondsText(median(sorted.map(({ recovery }) => recovery.after))),
      longest: secondsText(longest?.after ?? 0),
      last: longest?.last ?? '',
      latestNotification: secondsText(Math.max(...of.map(({ latestNotification }) => latestNotification))),
      connectionsStayed: `${stayed} of ${before}`,
    };
  });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function secondsText(milliseconds: number): string {
  return Number.isFinite(milliseconds) ? `${(milliseconds / 1000).toFixed(1)} s` : 'never';
}
