/**
 * A line on a terminal that says how far a transfer is; drawn at most ten times a second, and nowhere else than on a
 * terminal's standard error.
 */
export interface ProgressLine {
  readonly isShown: boolean;
  update(text: string, done?: number, total?: number): void;
  end(): void;
}

const WIDTH = 24;
const INTERVAL_MS = 100;

export function createProgressLine(shown: boolean): ProgressLine {
  if (!shown || process.stderr.isTTY !== true) {
    return { isShown: false, update: () => undefined, end: () => undefined };
  }
  let drawn = 0;
  return {
    isShown: true,
    update(text, done, total) {
      const now = Date.now();
      if (now - drawn < INTERVAL_MS) {
        return;
      }
      drawn = now;
      const bar = done === undefined || total === undefined || total === 0 ? '' : `${barOf(done / total)} `;
      process.stderr.write(`\r\u001b[K${(bar + text).slice(0, (process.stderr.columns ?? 80) - 1)}`);
    },
    end() {
      process.stderr.write('\r\u001b[K');
    },
  };
}

function barOf(share: number): string {
  const full = Math.min(WIDTH, Math.round(share * WIDTH));
  return `[${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}

export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
