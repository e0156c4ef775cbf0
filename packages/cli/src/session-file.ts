/**
 * Where `fosp login` keeps who is logged in where: `session.json` in `$XDG_CONFIG_HOME/fosp` or `~/.config/fosp`, readable
 * by its owner alone, since its token is as good as a password. `FOSP_SESSION_FILE` names another place.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CommandError } from './exit-codes.ts';
import type { Settings } from './settings.ts';

export interface StoredSession {
  readonly url: string;
  readonly user: string;
  readonly token: string;
}

export function sessionPath(settings: Settings): string {
  return settings.sessionFile ?? join(settings.configHome ?? join(homedir(), '.config'), 'fosp', 'session.json');
}

/** Undefined where nobody is logged in. */
export async function loadSession(path: string): Promise<StoredSession | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
  return sessionOf(text) ?? damaged(path);
}

function sessionOf(text: string): StoredSession | undefined {
  try {
    const { url, user, token } = JSON.parse(text);
    return [url, user, token].every((member) => typeof member === 'string') ? { url, user, token } : undefined;
  } catch {
    return undefined;
  }
}

function damaged(path: string): never {
  throw new CommandError(`${path} is damaged; remove it and log in again`);
}

export async function saveSession(path: string, session: StoredSession): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  await rm(draft, { force: true });
  await writeFile(draft, `${JSON.stringify(session)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(draft, path);
}

export async function forgetSession(path: string): Promise<void> {
  await rm(path, { force: true });
}
