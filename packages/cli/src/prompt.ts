import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError, EXIT } from './exit-codes.ts';

/** What is asked, and the setting that answers instead, where it is set. */
export interface Question {
  readonly text: string;
  readonly variable: string;
  readonly given: string | undefined;
}

/** Secrets, in the order asked: from their settings, else typed unseen on the terminal, else lines of standard input. */
export async function askSecrets(questions: readonly Question[]): Promise<string[]> {
  const lines = questions.every(({ given }) => given !== undefined) ? undefined : openLines();
  try {
    const answers: string[] = [];
    for (const question of questions) {
      const answer = question.given ?? (await lines?.ask(question.text)) ?? '';
      if (answer === '') {
        throw new CommandError(
          `no answer to "${question.text.trim()}": type it, set ${question.variable}, or send it as a line to standard input`,
          EXIT.usage,
        );
      }
      answers.push(answer);
    }
    return answers;
  } finally {
    lines?.close();
  }
}

function openLines(): { ask(text: string): Promise<string | undefined>; close(): void } {
  const terminal = process.stdin.isTTY === true;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal });
  const iterator = lines[Symbol.asyncIterator]();
  lines.once('SIGINT', () => lines.close());
  return {
    async ask(text) {
      process.stderr.write(terminal ? text : '');
      const { value } = await iterator.next();
      process.stderr.write(terminal ? '\n' : '');
      return value;
    },
    close: () => lines.close(),
  };
}
