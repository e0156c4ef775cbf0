/** Results as text: one line per case, failures with what was expected, what came, and the last raw heads. */
import type { Case } from './case.ts';
import type { Result } from './run.ts';

export function caseLine({ id, section, covers, title }: Case): string {
  return `${id}  [§${section} ${covers.join(' ')}]  ${title}`;
}

export function resultText({ case: test, outcome, reason, heads, milliseconds }: Result): string {
  const line = caseLine(test);
  if (outcome === 'ok') return `ok    ${line} (${milliseconds} ms)`;
  if (outcome === 'skipped') return `skip  ${line}: ${reason}`;
  const lines = reason.split('\n').map((text) => `      ${text.trimStart()}`);
  return [`FAIL  ${line} (${milliseconds} ms)`, ...lines, ...heads.map((head) => `      ${head}`)].join('\n');
}

export function summary(results: readonly Result[]): string {
  const count = (outcome: Result['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  return `${results.length} cases: ${count('ok')} ok, ${count('failed')} failed, ${count('skipped')} skipped`;
}

/** The results as JSON text, one object per case. */
export function asJson(results: readonly Result[]): string {
  const plain = results.map(({ case: { id, section, covers, title }, ...result }) => ({
    id,
    section,
    covers,
    title,
    ...result,
  }));
  return JSON.stringify(plain, undefined, 2);
}
