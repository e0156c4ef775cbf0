/**
 * Documents with tables that are made from the sources. A table stands between two marks, `<!-- made: name -->` and
 * `<!-- end: name -->`, on lines of their own; what is around them is written by hand and left alone.
 *
 * A script that makes a document writes it; with `--check` it changes nothing, and exits 1 where the document is not what
 * it would write. Either way it exits 1 where what the tables are made from is at fault, one line per fault.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface CommandLine {
  /** Compare and complain, change nothing. */
  readonly check: boolean;
  /** Folder that counts as the repository, with a slash at its end. */
  readonly root: string;
}

/** `[--check] [--root folder]` */
export function commandLine(): CommandLine {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, root: { type: 'string' } } });
  const { check = false, root } = values;
  return { check, root: root === undefined ? fileURLToPath(new URL('..', import.meta.url)) : `${root}/` };
}

export interface Document {
  /** From the repository's root. */
  readonly path: string;
  /** What stands between the marks, by name. */
  readonly tables: Readonly<Record<string, string>>;
  /** What is wrong with the sources of the tables. */
  readonly faults?: readonly string[];
  /** How it is made, for whoever finds it out of date. */
  readonly command: string;
}

/** Writes or checks the document, and ends the process with 1 where something is wrong. */
export function finish(document: Document, { check, root }: CommandLine = commandLine()): void {
  const file = `${root}${document.path}`;
  const before = readFileSync(file, 'utf8');
  const faults = [...(document.faults ?? [])];
  let after = before;
  for (const [name, table] of Object.entries(document.tables)) {
    const filled = fill(after, name, table);
    if (filled === undefined) {
      faults.push(`${document.path} has no place for the table "${name}"`);
    }
    after = filled ?? after;
  }
  if (!check) {
    writeFileSync(file, after);
  } else if (after !== before) {
    faults.push(`${document.path} is out of date: run ${document.command}`);
  }
  process.stderr.write(faults.map((fault) => `${fault}\n`).join(''));
  process.exitCode = faults.length === 0 ? 0 : 1;
}

/** Undefined where the marks are missing. */
function fill(text: string, name: string, table: string): string | undefined {
  const begin = `<!-- made: ${name} -->\n`;
  const end = `<!-- end: ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  return from === -1 || to === -1 ? undefined : `${text.slice(0, from)}${begin}\n${table}\n${text.slice(to)}`;
}

/** A table in Markdown. Cells may hold links and code, but no line breaks. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [head, head.map(() => '---'), ...rows].map(line).join('');
}

export function code(text: string): string {
  return `\`${text}\``;
}
