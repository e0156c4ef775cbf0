import { type AdminOptions, askAdmin } from '../admin-port.ts';
import type { Context } from '../context.ts';
import { askSecrets } from '../prompt.ts';

export type AccountAction = 'add' | 'passwd' | 'disable' | 'enable' | 'rm';

/** Adds, changes or removes an account through the admin port. */
export async function adminUser(
  context: Context,
  action: AccountAction,
  name: string,
  options: AdminOptions,
): Promise<void> {
  const password = action === 'add' || action === 'passwd' ? await newPassword(context, name) : undefined;
  const { method, path, body } = requestFor(action, name, password);
  await askAdmin(context, options, { method, path, body });
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
