/** HAProxy in front of gateways, as a provider would have it: a connection goes to the next gateway that is ready. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installed } from '../installed.ts';
import { freePort, ServerProgram } from '../server-program.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

export interface Balanced {
  readonly port: number;
  /** Where `/readyz` is asked. */
  readonly adminPort: number;
}

export interface BalancerOptions {
  /** Does each connection begin with a PROXY protocol header that tells the client's address? */
  readonly proxyProtocol?: boolean;
}

export interface Balancer extends AsyncDisposable {
  /** `ws://127.0.0.1:…` */
  readonly url: string;
}

export function balancerInstalled(): boolean {
  return installed('haproxy', '-v');
}

export async function startBalancer(
  gateways: readonly Balanced[],
  { proxyProtocol = false }: BalancerOptions = {},
): Promise<Balancer> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const file = join(directory.path, 'haproxy.cfg');
  const header = proxyProtocol ? ' send-proxy-v2' : '';
  const servers = gateways.map(
    (gateway, at) =>
      `  server gateway-${at + 1} 127.0.0.1:${gateway.port} check port ${gateway.adminPort} inter 200ms fall 1 rise 1${header}`,
  );
  await writeFile(file, `${[...head(port), ...servers].join('\n')}\n`);
  const program = new ServerProgram({
    command: 'haproxy',
    arguments: ['-W', '-f', file],
    ready: /Loading success/,
  });
  await program.start();
  return {
    url: `ws://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await program.kill();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function head(port: number): string[] {
  return [
    'global',
    '  maxconn 4000',
    'defaults',
    '  mode tcp',
    '  timeout connect 2s',
    '  timeout client 1h',
    '  timeout server 1h',
    '  timeout check 1s',
    // A gateway that dies between two checks costs a client another try, not its connection.
    '  retries 3',
    '  option redispatch 1',
    'frontend public',
    `  bind 127.0.0.1:${port}`,
    '  default_backend gateways',
    'backend gateways',
    '  balance roundrobin',
    '  option httpchk GET /readyz',
    '  http-check expect status 200',
  ];
}
