/** The command line: `conformance ws://host:port domain`. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chooseCases, runConformance } from './conformance.ts';
import { Listener } from './listener.ts';
import { asJson, caseLine, resultText, summary } from './report.ts';
import { createRun, type Run, type RunOptions } from './run.ts';
import { isRecord } from './wire/strict.ts';

const HELP = `Usage: conformance <url> <domain> [options]

Holds a FOSP server to PROTOCOL.md, over the wire. Exit code 0 when no case failed, 1 when one did, 2 for wrong usage.

  <url>                 ws://host:port or wss://host:port
  <domain>              the domain that the server serves, spelled as in its answer to CONNECT

  --peer <domain>=<url> the server of another domain, which speaks with the first one: adds cases in which its users
                        work on trees of the first. Swap the two for the other way round
  --as <domain>         a domain that the server believes this machine to be a server of (FOSP_FEDERATION_PEERS): adds
                        cases that speak to it as another server does
  --listen <port>       where the server finds that domain, by plain ws (FOSP_FEDERATION_PEERS): adds cases in which it is
                        the one that connects
  --only <pattern>      only cases whose id, section (§5), capability or title matches; may be repeated
  --quick               leave out slow cases
  --jobs <n>            cases at the same time, default 4
  --users <file|json>   accounts to use instead of registering: {"name":"password"} or lines of name:password
  --timeout <ms>        how long an answer may take, default 10000
  --patience <ms>       how long limits on registrations and logins are waited out, default 300000
  --max-bytes <n>       the largest message sent to try a limit, default 83886080
  --connections <n>     connections over which each client spreads its requests, default 1
  --seed <text>         for random choices
  --json                results as JSON
  --list                list the cases and stop

Node believes the authorities in the file NODE_EXTRA_CA_CERTS as well.
  --help                this text
`;

const OPTIONS = {
  peer: { type: 'string' },
  as: { type: 'string' },
  listen: { type: 'string' },
  only: { type: 'string', multiple: true },
  quick: { type: 'boolean', default: false },
  jobs: { type: 'string' },
  users: { type: 'string' },
  timeout: { type: 'string' },
  patience: { type: 'string' },
  'max-bytes': { type: 'string' },
  connections: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Runs the command and returns the exit code. */
export async function main(argv: readonly string[], write: (text: string) => void): Promise<number> {
  try {
    return await command(argv, write);
  } catch (error) {
    write(`${error instanceof Error ? error.message : String(error)}\nTry --help.\n`);
    return 2;
  }
}

async function command(argv: readonly string[], write: (text: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  if (values.help) {
    write(HELP);
    return 0;
  }
  const federation = values.list || values.peer !== undefined || values.as !== undefined;
  const cases = chooseCases(values.only ?? [], { quick: values.quick, federation });
  if (values.list) {
    for (const test of cases) write(`${caseLine(test)}\n`);
    write(`${cases.length} cases\n`);
    return 0;
  }
  const [url, domain] = positionals;
  if (url === undefined || domain === undefined || positionals.length > 2)
    throw new Error('A url and a domain are needed.');
  checkUrl(url);
  if (cases.length === 0) throw new Error('No case matches --only.');
  const common: RunOptions = {
    timeoutMs: count('timeout', values.timeout),
    patienceMs: count('patience', values.patience),
    maxBytes: count('max-bytes', values['max-bytes']),
    connectionsPerClient: count('connections', values.connections),
    seed: values.seed,
  };
  const peer = values.peer === undefined ? undefined : peerOf(values.peer, common);
  const listener = await listenerOf(values.as, count('listen', values.listen));
  const results = await runConformance(url, domain, {
    ...common,
    listener,
    cases,
    peer,
    as: values.as,
    jobs: count('jobs', values.jobs),
    users: values.users === undefined ? undefined : await readUsers(values.users),
    onResult: values.json ? undefined : (result) => write(`${resultText(result)}\n`),
  });
  await peer?.close();
  await listener?.close();
  write(values.json ? `${asJson(results)}\n` : `\n${summary(results)}\n`);
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

function checkUrl(url: string): void {
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
    throw new Error(`${url} does not begin with ws: or wss:`);
  }
}

async function listenerOf(domain: string | undefined, port: number | undefined): Promise<Listener | undefined> {
  if (port === undefined) return undefined;
  if (domain === undefined) throw new Error('--listen needs the domain of --as.');
  return Listener.start({ domain, port });
}

function peerOf(text: string, options: RunOptions): Run {
  const [, domain, url] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (domain === undefined || url === undefined) throw new Error(`--peer is domain=url, not ${text}`);
  checkUrl(url);
  return createRun(url, domain, options);
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]*$/.test(text)) throw new Error(`--${name} is a number above 0, not ${text}`);
  return Number(text);
}

/** Accounts as JSON, or from a file that holds JSON or lines of `name:password`. */
export async function readUsers(given: string): Promise<Record<string, string>> {
  const text = given.trimStart().startsWith('{') ? given : await readFile(given, 'utf8');
  const users = text.trimStart().startsWith('{') ? JSON.parse(text) : Object.fromEntries(lines(text));
  if (!isRecord(users)) throw new Error('--users: not a JSON object of names and passwords');
  return Object.fromEntries(
    Object.entries(users).map(([name, password]) => {
      if (typeof password !== 'string') throw new Error(`--users: the password of ${name} is not a string`);
      return [name, password];
    }),
  );
}

function lines(text: string): [string, string][] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const colon = line.indexOf(':');
      if (colon === -1) throw new Error(`--users: not a line of name:password: ${line}`);
      return [line.slice(0, colon), line.slice(colon + 1)];
    });
}
