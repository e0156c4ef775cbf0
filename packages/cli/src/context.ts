import type { ClientOptions, Credentials, FospClient } from '@fosp/client';
import { CommandError, EXIT } from './exit-codes.ts';
import type { Output } from './output.ts';
import { loadSession, saveSession, sessionPath } from './session-file.ts';
import type { Settings } from './settings.ts';

/** What every command works with. */
export interface Context {
  readonly settings: Settings;
  readonly output: Output;
  /** `--url`, else `FOSP_URL`, else where the last login was, else the standalone default. */
  readonly url: string;
}

const DEFAULT_URL = 'ws://localhost:1337';

export async function createContext(settings: Settings, output: Output, url: string | undefined): Promise<Context> {
  const named = url ?? settings.url;
  const stored = named === undefined ? await loadSession(sessionPath(settings)) : undefined;
  return { settings, output, url: checkedUrl(named ?? stored?.url ?? DEFAULT_URL) };
}

function checkedUrl(url: string): string {
  if (!/^wss?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new CommandError(`"${url}" is no server's address: write ws://host:1337 or wss://host:1338`, EXIT.usage);
  }
  return url.replace(/\/+$/, '');
}

/** Runs `work` as the logged-in user: `FOSP_USER` with `FOSP_PASSWORD`, or who logged in with `fosp login`. */
export async function asUser<Result>(context: Context, work: (client: FospClient) => Promise<Result>): Promise<Result> {
  return await withClient({ url: context.url, credentials: await credentialsOf(context) }, work);
}

async function credentialsOf({ settings, url }: Context): Promise<Credentials> {
  const { user, password } = settings;
  if (user !== undefined) {
    if (password === undefined) {
      throw new CommandError('FOSP_USER is set, and FOSP_PASSWORD is not: set both, or neither', EXIT.usage);
    }
    return { user, password };
  }
  const stored = await loadSession(sessionPath(settings));
  if (stored === undefined || stored.url !== url) {
    const elsewhere = stored === undefined ? '' : `, but as ${stored.user} at ${stored.url}`;
    throw new CommandError(
      `not logged in at ${url}${elsewhere}; run: fosp login NAME --url ${url} (or first: fosp register NAME --url ${url})`,
      EXIT.usage,
    );
  }
  return { token: stored.token };
}

/** Runs `work` on a connection that nobody is logged in on. */
export async function asNobody<Result>(
  context: Context,
  work: (client: FospClient) => Promise<Result>,
): Promise<Result> {
  return await withClient({ url: context.url, reconnect: false }, work);
}

async function withClient<Result>(
  options: ClientOptions,
  work: (client: FospClient) => Promise<Result>,
): Promise<Result> {
  const { FospClient } = await import('@fosp/client');
  const client = await FospClient.connect(options).catch((error: unknown) => explain(error, options));
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Says what to do about a server that is not there, and about a login that is no longer good. */
function explain(error: unknown, { url, credentials }: ClientOptions): never {
  const { code, message } = error instanceof Error && 'code' in error ? error : { code: undefined, message: '' };
  if (code === 'unreachable' || code === 'timeout') {
    throw new CommandError(
      `${message} Is a server running at ${url}? On this machine "npx -y pnpm@12 start" starts one; --url names another.`,
    );
  }
  if (code === 'unauthenticated' && credentials !== undefined && !('password' in credentials)) {
    throw new CommandError(`the login at ${url} is no longer good (${message}); run: fosp login NAME --url ${url}`);
  }
  throw error;
}

/** Keeps the login of a client for the commands to come. */
export async function remember(context: Context, client: FospClient): Promise<void> {
  if (client.token === undefined || client.user === undefined) {
    throw new CommandError('this server gives no tokens; set FOSP_USER and FOSP_PASSWORD instead of logging in');
  }
  await saveSession(sessionPath(context.settings), { url: context.url, user: client.user, token: client.token });
}
