import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { askSecrets } from '../prompt.ts';

export interface AdminOptions {
  /** Where the admin port is: `http://127.0.0.1:9090`. */
  readonly adminUrl: string;
  /** The data folder of a standalone server on this machine, which holds its token. */
  readonly dataDir: string;
}

export type AccountAction = 'add' | 'passwd' | 'disable' | 'enable' | 'rm';

/** Adds, changes or removes an account through the admin port. */
export async function adminUser(
  context: Context,
  action: AccountAction,
  name: string,
  options: AdminOptions,
): Promise<void> {
  const token = context.settings.adminToken ?? (await tokenOf(options.dataDir));
  const password = action === 'add' || action === 'passwd' ? await newPassword(context, name) : undefined;
  const { method, path, body } = requestFor(action, name, password);
  await send(new URL(path, options.adminUrl), { method, token, body });
  context.output.result(`${name}: ${DONE[action]}`, { user: name, action });
}

const DONE: Readonly<Record<AccountAction, string>> = {
  add: 'account created',
  passwd: 'password set; all sessions ended',
  disable: 'disabled; all sessions ended',
  enable: 'enabled',
  rm: 'account, tree and files removed',
};

function requestFor(
  action: AccountAction,
  name: string,
  password: string | undefined,
): { method: string; path: string; body?: object } {
  const user = `/admin/users/${encodeURIComponent(name)}`;
  switch (action) {
    case 'add':
      return { method: 'POST', path: '/admin/users', body: { name, password } };
    case 'passwd':
      return { method: 'PUT', path: `${user}/password`, body: { password } };
    case 'disable':
    case 'enable':
      return { method: 'POST', path: `${user}/${action}` };
    case 'rm':
      return { method: 'DELETE', path: user };
  }
}

async function newPassword(context: Context, name: string): Promise<string> {
  const given = context.settings.newPassword ?? context.settings.password;
  const [password = ''] = await askSecrets([
    { text: `New password for ${name}: `, variable: 'FOSP_NEW_PASSWORD', given, isNew: true },
  ]);
  return password;
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

interface AdminRequest {
  readonly method: string;
  readonly token: string;
  readonly body: object | undefined;
}

async function send(url: URL, { method, token, body }: AdminRequest): Promise<void> {
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
