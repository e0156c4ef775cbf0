/**
 * Hosts with addresses of their own on one machine: Linux network namespaces, joined by a bridge, on which this process is too.
 * The bridge is in a namespace of its own, where no firewall of the machine's sees what passes (that of a Docker engine drops
 * what it does not know). What a host has at 127.0.0.1 nobody else can reach. Needs root.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

/** Where a program may run. */
export interface Host {
  readonly ipv4: string;
  readonly ipv6: string;
  /** What a command begins with to be run there. */
  readonly command: readonly string[];
}

export interface Hosts extends AsyncDisposable {
  /** Addresses of this process on their network. */
  readonly own: Pick<Host, 'ipv4' | 'ipv6'>;
  /** All addresses, `10.77.1.0/24,fd77:1::/64`. */
  readonly networks: string;
  /** As many as were asked for. */
  readonly all: readonly Host[];
}

const SWITCH = 'switch';

/**
 * May this process make hosts? Tests that need them are left out where not, with a sentence that says so; unless the run says
 * that nothing may be left out (`FOSP_TEST_REQUIRE_INFRASTRUCTURE=1`): then this is true, and they fail.
 */
export function hostsPermitted(): boolean {
  // biome-ignore lint/style/noProcessEnv: tests have no configuration of their own.
  if (process.env['FOSP_TEST_REQUIRE_INFRASTRUCTURE'] === '1') {
    return true;
  }
  const name = `fosp-${process.pid}-try`;
  const isPermitted = spawnSync('ip', ['netns', 'add', name]).status === 0;
  spawnSync('ip', ['netns', 'delete', name]);
  if (!isPermitted) {
    process.stderr.write(
      'Tests that need hosts of their own are left out: network namespaces need root, and iproute2.\n',
    );
  }
  return isPermitted;
}

export function startHosts(count: number): Hosts {
  const id = `${process.pid}x${randomInt(1000)}`;
  const [subnet, prefix] = [`10.${randomInt(64, 128)}.${randomInt(256)}`, `fd77:${randomInt(1, 65_536).toString(16)}`];
  const addressesOf = (at: number) => ({ ipv4: `${subnet}.${at}`, ipv6: `${prefix}::${at.toString(16)}` });
  const space = (name: string) => `fosp-${id}-${name}`;
  const names = Array.from({ length: count }, (_, at) => `host${at + 1}`);
  const spaces = [SWITCH, ...names].map(space);
  const own = { ...addressesOf(1), interface: `fosp${id}`.slice(0, 15) };
  try {
    ip(
      [],
      [
        ...spaces.map((name) => `netns add ${name}`),
        `link add ${own.interface} type veth peer name own netns ${space(SWITCH)}`,
        ...names.map((name) => `link add ${name} netns ${space(SWITCH)} type veth peer name eth0 netns ${space(name)}`),
        ...up(own.interface, own),
      ],
    );
    ip(
      ['-netns', space(SWITCH)],
      [
        'link add bridge type bridge',
        'link set bridge up',
        ...['own', ...names].flatMap((name) => [`link set ${name} master bridge`, `link set ${name} up`]),
      ],
    );
    for (const [at, name] of names.entries()) {
      ip(['-netns', space(name)], ['link set lo up', ...up('eth0', addressesOf(at + 2))]);
    }
  } catch (error) {
    remove(spaces);
    throw error;
  }
  return {
    own,
    networks: `${subnet}.0/24,${prefix}::/64`,
    all: names.map((name, at) => ({ ...addressesOf(at + 2), command: ['ip', 'netns', 'exec', space(name)] })),
    [Symbol.asyncDispose]: async () => remove(spaces),
  };
}

function up(device: string, { ipv4, ipv6 }: Pick<Host, 'ipv4' | 'ipv6'>): string[] {
  return [
    `addr add ${ipv4}/24 dev ${device}`,
    // At once: nobody else can have it.
    `addr add ${ipv6}/64 dev ${device} nodad`,
    `link set ${device} up`,
  ];
}

/** Links end with the namespace that has one of their ends. */
function remove(spaces: readonly string[]): void {
  for (const name of spaces) {
    spawnSync('ip', ['netns', 'delete', name]);
  }
}

function ip(options: readonly string[], commands: readonly string[]): void {
  const done: SpawnSyncReturns<string> = spawnSync('ip', [...options, '-batch', '-'], {
    input: `${commands.join('\n')}\n`,
    encoding: 'utf8',
  });
  if (done.status !== 0) {
    throw new Error(`ip could not make hosts: ${done.error?.message ?? done.stderr}\n${commands.join('\n')}`);
  }
}
