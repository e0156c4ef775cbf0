/** All chosen cases against one server, several at once. */
import type { Case } from './case.ts';
import { CASES, FEDERATION_CASES } from './cases/index.ts';
import { createRun, type Result, type RunOptions } from './run.ts';

export interface ConformanceOptions extends RunOptions {
  /** The cases to run. Default all. */
  readonly cases?: readonly Case[] | undefined;
  /** How many run at the same time. Default 4. */
  readonly jobs?: number | undefined;
  /** Called with each result as it comes. */
  readonly onResult?: ((result: Result) => void) | undefined;
}

/** Results in the order of the cases; a failure is a result, not a rejection. */
export async function runConformance(
  url: string,
  domain: string,
  options: ConformanceOptions = {},
): Promise<readonly Result[]> {
  const { cases = CASES, jobs = 4, onResult = () => undefined } = options;
  const run = createRun(url, domain, options);
  const results: Result[] = [];
  const waiting = cases.entries();
  async function work(): Promise<void> {
    for (const [index, test] of waiting) {
      const result = await run.execute(test);
      results[index] = result;
      onResult(result);
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, work));
  await run.close();
  return results;
}

/** Cases whose id, section (`§5`), title or one of whose capabilities matches one of the patterns; slow ones only if wanted. */
export function chooseCases(
  patterns: readonly string[],
  options: { readonly quick: boolean /** Also those that take more than the server. */; readonly federation?: boolean },
): readonly Case[] {
  const expressions = patterns.map((pattern) => new RegExp(pattern, 'i'));
  const matches = ({ id, section, title, covers }: Case) =>
    expressions.length === 0 ||
    expressions.some((expression) => [id, `§${section}`, title, ...covers].some((text) => expression.test(text)));
  const all = options.federation ? [...CASES, ...FEDERATION_CASES] : CASES;
  return all.filter((test) => matches(test) && !(options.quick && test.slow));
}
