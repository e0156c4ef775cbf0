/** What an operator does to accounts, through the internal port (`fosp admin user …`). `FOSP_REGISTRATION` does not bind them. */
import { ACCOUNTS, type Bus } from '@fosp/bus';
import { ERRORS, fospError, isFospError } from '@fosp/protocol';
import type { AdminAnswer, AdminRequest, AdminRoute } from '@fosp/runtime';
import type { Members } from './json-body.ts';
import { type Login, userOf } from './login.ts';

export interface AdminRoutesOptions {
  readonly bus: Bus;
  readonly login: Login;
  /** Of names that do not say theirs. */
  readonly domain: string;
}

export function adminRoutes({ bus, login, domain }: AdminRoutesOptions): readonly AdminRoute[] {
  const named = ({ params }: AdminRequest) => userOf(params['name'] ?? '', domain);
  const setState = async (request: AdminRequest, state: 'enabled' | 'disabled') => {
    const user = named(request);
    await bus.call(ACCOUNTS.setState, { user, state });
    return { status: 200, body: { user, state } };
  };
  const add = async ({ body }: AdminRequest) => {
    const account = login.readAccount(membersOf(body), domain);
    await login.createAccount(account);
    return { status: 201, body: { user: account.user } };
  };
  const setPassword = async (request: AdminRequest) => {
    const user = named(request);
    await login.setPassword(user, membersOf(request.body));
    return { status: 200, body: { user } };
  };
  const remove = async (request: AdminRequest) => {
    const user = named(request);
    await bus.call(ACCOUNTS.remove, { user });
    return { status: 200, body: { user } };
  };
  return [
    { method: 'POST', path: '/admin/users', handle: answering(add) },
    { method: 'PUT', path: '/admin/users/:name/password', handle: answering(setPassword) },
    {
      method: 'POST',
      path: '/admin/users/:name/disable',
      handle: answering((request) => setState(request, 'disabled')),
    },
    { method: 'POST', path: '/admin/users/:name/enable', handle: answering((request) => setState(request, 'enabled')) },
    { method: 'DELETE', path: '/admin/users/:name', handle: answering(remove) },
  ];
}

/** A `FospError` is an answer; anything else the admin port logs, and answers 500. */
export function answering(handle: AdminRoute['handle']): AdminRoute['handle'] {
  return async (request): Promise<AdminAnswer> => {
    try {
      return await handle(request);
    } catch (error) {
      if (!isFospError(error)) {
        throw error;
      }
      return { status: ERRORS[error.code].status, body: { message: error.message, ...error.body } };
    }
  };
}

function membersOf(body: unknown): Members {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw fospError('malformed', 'The body must be a JSON object.');
  }
  return { ...body };
}
