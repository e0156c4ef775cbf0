/** The admin port of a server, as the commands for operators speak with it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from './context.ts';
import { CommandError, EXIT } from './exit-codes.ts';

export interface AdminOptions {
  /** Where the admin port is: `http://127.0.0.1:9090`. */
  readonly adminUrl: string;
  /** The data folder of a standalone server on this machine, which holds its token. */
  readonly dataDir: string;
}

export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: object | undefined;
}

/** The JSON that it answers. Rejects with what it says, where it refuses. */
export async function askAdmin(context: Context, options: AdminOptions, request: AdminRequest): Promise<unknown> {
  const { method, path, body } = request;
  const url = new URL(path, options.adminUrl);
  const token = context.settings.adminToken ?? (await tokenOf(options.dataDir));
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new CommandError(`the admin port at ${url.origin} cannot be reached; name it with --admin-url`, EXIT.failed);
  });
  if (!response.ok) {
    throw new CommandError(`${await reasonOf(response)} (${response.status})`);
  }
  return response.json();
}

async function tokenOf(dataDir: string): Promise<string> {
  const file = join(dataDir, 'admin-token');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    throw new CommandError(
      `no admin token: set FOSP_ADMIN_TOKEN, or name the server's data folder with --data-dir (looked for ${file})`,
      EXIT.usage,
    );
  }
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const answer: { readonly message?: unknown } = JSON.parse(text);
    return String(answer.message ?? response.statusText);
  } catch {
    return response.statusText;
  }
}
