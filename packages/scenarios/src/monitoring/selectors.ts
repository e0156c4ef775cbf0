/**
 * What an expression of PromQL asks for, found by a tokenizer of a few lines: names of metrics, labels that must match, and
 * labels by which is grouped or joined. Prometheus answers a misspelt one like one that has no value now: with nothing.
 */

export interface Selector {
  readonly metric: string;
  /** Labels that it matches by. */
  readonly labels: readonly string[];
}

export interface Asked {
  readonly selectors: readonly Selector[];
  /** By which is grouped or joined, in the whole expression. */
  readonly groupLabels: readonly string[];
}

const TOKEN =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]|#[^\n]*|[0-9][0-9a-zA-Z.]*|\.[0-9]+|[a-zA-Z_:][a-zA-Z0-9_:.]*|[=!]~|[=!<>]=|[^\s]/g;
const NAME = /^[a-zA-Z_:]/;
const LABEL_LISTS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
/** What follows the name of a function or an aggregation. */
const FUNCTION = /^(\(|by|without)$/i;
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'start', 'end', 'inf', 'nan']);

export function askedBy(expression: string): Asked {
  const tokens: readonly string[] = expression.match(TOKEN) ?? [];
  const selectors: Selector[] = [];
  const groupLabels = new Set<string>();
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    const next = tokens[at + 1];
    if (LABEL_LISTS.has(token.toLowerCase())) {
      if (next === '(') {
        const end = tokens.indexOf(')', at);
        for (const label of tokens.slice(at + 2, end).filter((inside) => NAME.test(inside))) {
          groupLabels.add(label);
        }
        at = end;
      }
    } else if (NAME.test(token) && !WORDS.has(token.toLowerCase()) && !FUNCTION.test(next ?? '')) {
      const end = next === '{' ? tokens.indexOf('}', at) : at;
      selectors.push({ metric: token, labels: matched(tokens.slice(at + 2, end)) });
      at = end;
    }
  }
  return { selectors, groupLabels: [...groupLabels] };
}

/** `status =~ "500" , type = "SELECT"` */
function matched(tokens: readonly string[]): string[] {
  return tokens.filter((token, at) => NAME.test(token) && /^(=|!=|=~|!~)$/.test(tokens[at + 1] ?? ''));
}
