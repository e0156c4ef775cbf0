import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError, EXIT } from './exit-codes.ts';

/** What is asked, and the setting that answers instead, where it is set. */
export interface Question {
  readonly text: string;
  readonly variable: string;
  readonly given: string | undefined;
  /** A new secret, which on a terminal is typed twice. */
  readonly isNew?: boolean;
}

/** Secrets, in the order asked: from their settings, else typed unseen on the terminal, else lines of standard input. */
export async function askSecrets(questions: readonly Question[]): Promise<string[]> {
  const lines = questions.every(({ given }) => given !== undefined) ? undefined : openLines();
  try {
    const answers: string[] = [];
    for (const question of questions) {
      answers.push(question.given ?? (lines === undefined ? '' : await ask(lines, question)));
    }
    return answers;
  } finally {
    lines?.close();
  }
}

interface Lines {
  readonly terminal: boolean;
  /** The next line; undefined at the end. */
  next(text: string): Promise<string | undefined>;
  close(): void;
}

async function ask(lines: Lines, { text, variable, isNew }: Question): Promise<string> {
  const answer = await lines.next(text);
  if (answer === undefined || answer === '') {
    throw new CommandError(
      `no answer to "${text.trim()}": type it, set ${variable}, or send it as a line to standard input`,
      EXIT.usage,
    );
  }
  if (isNew === true && lines.terminal && (await lines.next('The same again: ')) !== answer) {
    throw new CommandError('the two are not the same; nothing was changed', EXIT.usage);
  }
  return answer;
}

function openLines(): Lines {
  const terminal = process.stdin.isTTY === true;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal, historySize: 0 });
  const iterator = lines[Symbol.asyncIterator]();
  lines.once('SIGINT', () => lines.close());
  return {
    terminal,
    async next(text) {
      process.stderr.write(terminal ? text : '');
      const { value } = await iterator.next();
      process.stderr.write(terminal ? '\n' : '');
      return value;
    },
    close: () => lines.close(),
  };
}
