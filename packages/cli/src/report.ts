import type { Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { bytesText } from './progress.ts';

/** What an import or export could not take along, and why. */
export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

/** Counts of a transfer as it goes. */
export interface TransferReport {
  folders: number;
  files: number;
  bytes: number;
  /** Already there, unchanged, from an earlier run. */
  unchanged: number;
  readonly skipped: Skipped[];
}

export function createReport(): TransferReport {
  return { folders: 0, files: 0, bytes: 0, unchanged: 0, skipped: [] };
}

/** Says what was done, lists what was skipped, and gives the exit code. */
export function finish(context: Context, what: string, report: TransferReport): number {
  for (const { path, reason } of report.skipped) {
    context.output.note(`skipped ${path}: ${reason}`);
  }
  const unchanged = report.unchanged === 0 ? '' : `, ${report.unchanged} unchanged`;
  const skipped = report.skipped.length === 0 ? '' : `, ${report.skipped.length} skipped`;
  const text = `${what}: ${report.files} files (${bytesText(report.bytes)}) in ${report.folders} folders${unchanged}${skipped}`;
  context.output.result(text, report);
  return report.skipped.length === 0 ? EXIT.done : EXIT.skipped;
}
