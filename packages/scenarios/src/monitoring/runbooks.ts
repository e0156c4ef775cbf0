/** What the pages of alerts have whoever is called ask Prometheus. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Query } from './dashboards.ts';

const RUNBOOKS = fileURLToPath(new URL('../../../../docs/runbooks', import.meta.url));
/** A line of code; commands are not asked of Prometheus. */
const CODE = /^ {4,}(?!kubectl|curl|nats |docker)(.*\b(?:up|\w*fosp_|nodejs_|process_).*)$/;

export function runbookQueries(): Query[] {
  return globSync('*.md', { cwd: RUNBOOKS }).flatMap((file) =>
    readFileSync(join(RUNBOOKS, file), 'utf8')
      .split('\n')
      .flatMap((line) => {
        const expression = CODE.exec(line)?.[1];
        return expression === undefined ? [] : [{ where: basename(file), expression }];
      }),
  );
}
