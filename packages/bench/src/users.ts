/** Users under measurement, each with a tree and a connection. */
import { PASSWORD } from './setup.ts';
import { Wire } from './wire.ts';

const AT_ONCE = 16;
export const ONE_KIB = `"${'x'.repeat(1022)}"`;

export interface BenchUser {
  /** Their name and tree, `user3@localhost`. */
  readonly name: string;
  readonly token: string;
  /** One connection. */
  readonly wire: Wire;
}

/** Where accounts are made. */
export interface Home {
  readonly url: string;
  readonly domain: string;
}

/** Users `prefix0` and so on, each with `/a/b/c` of 1 KiB in their tree. */
export async function registerUsers(home: Home, prefix: string, count: number): Promise<BenchUser[]> {
  const users: BenchUser[] = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, at) => `${prefix}${from + at}`);
    users.push(...(await Promise.all(some.map((name) => register(home, name)))));
  }
  return users;
}

async function register({ url, domain }: Home, name: string): Promise<BenchUser> {
  const first = await Wire.open(url);
  await first.ask('CONNECT *', '{"version":"0.1"}');
  await first.ask('REGISTER *', JSON.stringify({ name, password: PASSWORD }));
  first.socket.terminate();
  const { wire, token } = await Wire.login(url, { name, password: PASSWORD });
  const tree = `${name}@${domain}`;
  await wire.ask(`CREATE ${tree}/a`);
  await wire.ask(`CREATE ${tree}/a/b`);
  await wire.ask(`CREATE ${tree}/a/b/c`, `{"data":${ONE_KIB}}`);
  return { name: tree, token, wire };
}
