import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';

/** An argument that holds JSON: the text itself, `@FILE`, or `-` for standard input. */
export async function readInput(argument: string): Promise<string> {
  if (argument === '-') {
    return await readAll(process.stdin);
  }
  return argument.startsWith('@') ? await readFile(argument.slice(1), 'utf8') : argument;
}
