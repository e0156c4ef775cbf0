import { parseArgs } from 'node:util';
import { isMet, table } from './report.ts';
import { measureStandalone } from './standalone.ts';

const HELP = `Measures this project against a bare ws echo on the same machine, in the same run.

  pnpm bench            all figures (some minutes)
  pnpm bench --short    fewer requests and connections, for a first look
  pnpm bench --json     figures as JSON
`;

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const scale = values.short
    ? { requests: 10_000, crowd: 1000, rounds: 1 }
    : { requests: 50_000, crowd: 10_000, rounds: 5 };
  const figures = await measureStandalone(scale);
  process.stdout.write(`${values.json ? JSON.stringify(figures) : table(figures)}\n`);
  process.exit(figures.every((figure) => isMet(figure) !== false) ? 0 : 1);
}
