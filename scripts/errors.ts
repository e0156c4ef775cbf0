/** `pnpm errors`: the tables of `docs/errors.md`, from the catalogues in the sources. */
import { EXIT } from '../packages/cli/src/exit-codes.ts';
import { CLOSE_CODES } from '../packages/connection/src/index.ts';
import { ERRORS, STATUS } from '../packages/protocol/src/index.ts';
import { code, finish, table } from './document.ts';

const SUCCESSES: Readonly<Record<keyof typeof STATUS, string>> = {
  ok: 'Done; the body holds what was asked for.',
  created: 'Made.',
  done: 'Done; there is no body.',
};

const EXITS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'All was done.',
  failed: 'The server, the network or the file system refused; the reason is on standard error.',
  usage: 'The command line was wrong; nothing was done.',
  skipped: 'Done, but for what was listed as skipped.',
};

const yesOrNo = (value: boolean) => (value ? 'yes' : 'no');

const successes = Object.entries(STATUS).map(([name, status]) => [
  String(status),
  code(name),
  describe(SUCCESSES, name),
]);
const errors = Object.entries(ERRORS).map(([name, { status, retryable, text }]) => [
  String(status),
  code(name),
  yesOrNo(retryable),
  text,
]);
const closeCodes = Object.entries(CLOSE_CODES).map(([name, { code: number, reconnect, sent, meaning }]) => [
  String(number),
  code(name),
  yesOrNo(reconnect),
  yesOrNo(sent),
  meaning,
]);
const exits = Object.entries(EXIT).map(([name, number]) => [String(number), describe(EXITS, name)]);

function describe(texts: Readonly<Record<string, string>>, name: string): string {
  const text = texts[name];
  if (text === undefined) {
    throw new Error(`scripts/errors.ts has no words for "${name}"`);
  }
  return text;
}

finish({
  path: 'docs/errors.md',
  tables: {
    successes: table(['status', 'name', 'meaning'], successes),
    errors: table(['status', 'code', 'try again', 'text where there is nothing better to say'], errors),
    'close codes': table(['code', 'name', 'come back', 'sent', 'meaning'], closeCodes),
    'exit codes': table(['code', 'meaning'], exits),
  },
  command: 'npx -y pnpm@12 errors',
});
