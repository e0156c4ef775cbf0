import { FospClient } from '@fosp/client';
import { CommandError, EXIT } from './exit-codes.ts';
import type { Output } from './output.ts';
import { loadSession, type StoredSession, saveSession, sessionPath } from './session-file.ts';
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
  const stored = await loadSession(sessionPath(settings));
  return { settings, output, url: url ?? settings.url ?? stored?.url ?? DEFAULT_URL };
}

/** Runs `work` as the logged-in user: `FOSP_USER` with `FOSP_PASSWORD`, or who logged in with `fosp login`. */
export async function asUser<Result>(context: Context, work: (client: FospClient) => Promise<Result>): Promise<Result> {
  const { settings, url } = context;
  if (settings.user !== undefined && settings.password !== undefined) {
    const credentials = { user: settings.user, password: settings.password };
    return await withClient(await FospClient.connect({ url, credentials }), work);
  }
  const stored = await storedFor(context);
  const client = await FospClient.connect({ url, credentials: { token: stored.token, user: stored.user } });
  return await withClient(client, work);
}

async function storedFor({ settings, url }: Context): Promise<StoredSession> {
  const stored = await loadSession(sessionPath(settings));
  if (stored === undefined || stored.url !== url) {
    throw new CommandError(`not logged in at ${url}; run: fosp login NAME --url ${url}`, EXIT.usage);
  }
  return stored;
}

/** Runs `work` on a connection that nobody is logged in on. */
export async function asNobody<Result>(
  context: Context,
  work: (client: FospClient) => Promise<Result>,
): Promise<Result> {
  return await withClient(await FospClient.connect({ url: context.url, reconnect: false }), work);
}

async function withClient<Result>(client: FospClient, work: (client: FospClient) => Promise<Result>): Promise<Result> {
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Keeps the login of a client for the commands to come. */
export async function remember(context: Context, client: FospClient): Promise<void> {
  if (client.token === undefined || client.user === undefined) {
    throw new CommandError('this server gives no tokens; set FOSP_USER and FOSP_PASSWORD instead of logging in');
  }
  await saveSession(sessionPath(context.settings), { url: context.url, user: client.user, token: client.token });
}
