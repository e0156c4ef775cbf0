/**
 * A real DNS server (dnsmasq) that knows some names, given as data, and no others. Its port stays the same over `set`,
 * `pause` and `kill`. What it was asked is in its log.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { installed } from './installed.ts';
import { ServerProgram } from './server-program.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface SrvRecord {
  /** `.` for "this service is not here". */
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

/** What a name has; a name without any of it exists, but has no records. */
export interface NameRecords {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly SRV?: readonly SrvRecord[];
  /** In place of all others. */
  readonly CNAME?: string;
  /** Seconds that addresses hold; 60. */
  readonly ttl?: number;
}

/** By name: `{ 'realworld.lit': { A: ['192.0.2.1'] } }`. */
export type DnsRecords = Readonly<Record<string, NameRecords>>;

export interface DnsOptions {
  /** Where it listens; 127.0.0.1. */
  readonly host?: string;
  /** Any free one where none is given. */
  readonly port?: number;
}

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:5353`, as `FOSP_DNS_SERVERS` takes it. */
  readonly address: string;
  readonly port: number;
  /** Puts these records in place of all others. Starts it, where it was killed. */
  set(records: DnsRecords): Promise<void>;
  /** What it was asked so far, in order: `A realworld.lit`. */
  questions(): Promise<string[]>;
  /** Answers nothing until `resume`. */
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
}

export function dnsInstalled(): boolean {
  return installed('dnsmasq');
}

export async function startDns(records: DnsRecords, options: DnsOptions = {}): Promise<DnsServer> {
  const { host = '127.0.0.1', port = await freePort() } = options;
  const directory = await temporaryDirectory();
  const configuration = join(directory.path, 'dnsmasq.conf');
  const log = join(directory.path, 'dnsmasq.log');
  const program = new ServerProgram({
    command: 'dnsmasq',
    arguments: ['--no-daemon', `--conf-file=${configuration}`],
    ready: /cleared cache/,
  });
  const set = async (wanted: DnsRecords) => {
    await program.kill();
    await writeFile(configuration, `${[...head(host, port, log), ...lines(wanted)].join('\n')}\n`);
    await program.start();
  };
  await set(records);
  return {
    address: isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`,
    port,
    set,
    questions: async () => {
      const text = await readFile(log, 'utf8');
      return Array.from(text.matchAll(/ query\[(\w+)\] (\S+) from /g), ([, type, name]) => `${type} ${name}`);
    },
    pause: () => program.pause(),
    resume: () => program.resume(),
    kill: () => program.kill(),
    [Symbol.asyncDispose]: async () => {
      await program.kill();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function head(host: string, port: number, log: string): string[] {
  return [
    ...[`port=${port}`, `listen-address=${host}`, 'bind-interfaces', 'no-resolv', 'no-hosts', 'user=', 'group='],
    // It asks nobody else: what is not said here does not exist.
    'local=/#/',
    'log-queries',
    `log-facility=${log}`,
  ];
}

function lines(records: DnsRecords): string[] {
  return Object.entries(records).flatMap(([name, { A = [], AAAA = [], SRV = [], CNAME, ttl = 60 }]) => [
    // Or the name would not exist.
    `txt-record=${name},"a name of a test"`,
    ...[...A, ...AAAA].map((address) => `host-record=${name},${address},${ttl}`),
    ...(CNAME === undefined ? [] : [`cname=${name},${CNAME},${ttl}`]),
    ...SRV.map(({ target, port, priority = 0, weight = 0 }) =>
      target === '.' ? `srv-host=${name}` : `srv-host=${name},${target},${port},${priority},${weight}`,
    ),
  ]);
}
