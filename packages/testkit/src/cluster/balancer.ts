/**
 * HAProxy in front of gateways, as a provider would have it: a connection goes to the next gateway that is ready; where none
 * is, to any, which says why it cannot do more.
 */
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '../free-port.ts';
import type { Host } from '../hosts/hosts.ts';
import { installed } from '../installed.ts';
import { ServerProgram } from '../server-program.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

export interface Balanced {
  /** 127.0.0.1 by default. */
  readonly host?: string | undefined;
  readonly port: number;
  /** Where `/readyz` is asked. */
  readonly adminPort: number;
}

export interface BalancerOptions {
  /** Does each connection begin with a PROXY protocol header that tells the client's address? */
  readonly proxyProtocol?: boolean;
  /** Where it runs, and takes connections on all addresses; on loopback of this one by default. */
  readonly host?: Host | undefined;
  /** Where it takes those with TLS, which ends there, with certificate and key as PEM. */
  readonly tls?: { readonly port: number; readonly identity: { readonly cert: string; readonly key: string } };
  /** Where it listens; any free port by default. */
  readonly port?: number;
  /** Connections at once; 4,000. Each takes two of the files that a process may have open. */
  readonly connections?: number;
}

export interface Balancer extends AsyncDisposable {
  /** `ws://127.0.0.1:…` */
  readonly url: string;
  /** Of its main process. */
  readonly pid: number | undefined;
  /** The gateway, `gateway-1` and so on, to which it joined the open connection that comes from this port of loopback. */
  gatewayOf(clientPort: number): Promise<string>;
  /** Whether it sends connections to this gateway. */
  isUp(gateway: string): Promise<boolean>;
}

export function balancerInstalled(): boolean {
  return installed('haproxy', '-v');
}

export async function startBalancer(
  gateways: readonly Balanced[],
  { proxyProtocol = false, host, tls, port: wanted, connections = 4000 }: BalancerOptions = {},
): Promise<Balancer> {
  const directory = await temporaryDirectory();
  const port = wanted ?? (await freePort());
  const file = join(directory.path, 'haproxy.cfg');
  const header = proxyProtocol ? ' send-proxy-v2' : '';
  const servers = gateways.map(
    (gateway, at) =>
      `  server gateway-${at + 1} ${addressOf(gateway)} check port ${gateway.adminPort} inter 200ms fall 1 rise 1${header}`,
  );
  const unready = gateways.map((gateway, at) => `  server gateway-${at + 1} ${addressOf(gateway)}${header}`);
  const binds = bindsOf(host, port);
  if (tls !== undefined) {
    const pem = join(directory.path, 'identity.pem');
    await writeFile(pem, tls.identity.cert + tls.identity.key);
    binds.push(...bindsOf(host, tls.port).map((bind) => `${bind} ssl crt ${pem}`));
  }
  const socket = join(directory.path, 'haproxy.sock');
  await writeFile(
    file,
    `${[...head(binds, { socket, connections }), ...servers, ...UNREADY, ...unready].join('\n')}\n`,
  );
  const program = new ServerProgram({
    command: 'haproxy',
    arguments: ['-W', '-f', file],
    ready: /Loading success/,
    host,
  });
  await program.start();
  return {
    url: `ws://${host?.ipv4 ?? '127.0.0.1'}:${port}`,
    get pid() {
      return program.pid;
    },
    gatewayOf: async (clientPort) => {
      const sessions = await ask(socket, 'show sess');
      const session = sessions.split('\n').find((line) => line.includes(` src=127.0.0.1:${clientPort} `));
      const gateway = session === undefined ? undefined : / srv=(gateway-\d+) /.exec(session)?.[1];
      if (gateway === undefined) {
        throw new Error(`The balancer has no connection from port ${clientPort} to a gateway:\n${sessions}`);
      }
      return gateway;
    },
    isUp: async (gateway) => {
      const servers = (await ask(socket, 'show stat')).split('\n');
      const [, , , ...fields] = servers.find((line) => line.startsWith(`gateways,${gateway},`))?.split(',') ?? [];
      return fields.includes('UP');
    },
    [Symbol.asyncDispose]: async () => {
      await program.kill();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Asks HAProxy something at its runtime API. */
async function ask(socket: string, command: string): Promise<string> {
  const connection = connect(socket);
  connection.end(`${command}\n`);
  return text(connection);
}

const UNREADY = ['backend unready', '  balance roundrobin'];

function addressOf({ host = '127.0.0.1', port }: Balanced): string {
  return `${host}:${port}`;
}

function bindsOf(host: Host | undefined, port: number): string[] {
  return host === undefined ? [`  bind 127.0.0.1:${port}`] : [`  bind 0.0.0.0:${port}`, `  bind [::]:${port} v6only`];
}

function head(binds: readonly string[], { socket, connections }: { socket: string; connections: number }): string[] {
  return [
    'global',
    `  maxconn ${connections}`,
    `  stats socket ${socket} mode 600 level operator`,
    'defaults',
    '  mode tcp',
    '  timeout connect 10s',
    '  timeout client 1h',
    '  timeout server 1h',
    // A gateway that stands still is still one; what is gone is refused at once.
    '  timeout check 10s',
    // A gateway that dies between two checks costs a client another try, not its connection.
    '  retries 3',
    '  option redispatch 1',
    'frontend public',
    ...binds,
    '  use_backend unready if { nbsrv(gateways) lt 1 }',
    '  default_backend gateways',
    'backend gateways',
    '  balance roundrobin',
    '  option httpchk GET /readyz',
    '  http-check expect status 200',
  ];
}
