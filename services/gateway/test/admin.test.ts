import { createLog, Health, Secret, startAdmin } from '@fosp/runtime';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PASSWORD, startGateway } from './harness.ts';

async function startAdministered(environment: Record<string, string> = {}) {
  const gateway = await startGateway({ environment });
  const log = await createLog({ name: 'gateway', level: 'silent' });
  const admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    health: new Health(),
    metrics: gateway.metrics,
    log,
    routes: gateway.service.adminRoutes,
    token: new Secret('let me in'),
  });
  onTestFinished(() => admin.close());
  const send = async (method: string, path: string, body?: unknown, token = 'let me in') => {
    const response = await fetch(`http://127.0.0.1:${admin.port}/admin/users${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? undefined : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? undefined : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    return { status: response.status, answer };
  };
  return { gateway, send };
}

describe('accounts through the internal port', () => {
  it('F21 are created although registration is closed, with the same rules, and no rate', async () => {
    const { gateway, send } = await startAdministered({ FOSP_REGISTRATION: 'closed' });
    expect(await send('POST', '', { name: 'Alice', password: PASSWORD })).toEqual({
      status: 201,
      answer: { user: 'alice@wonderland.lit' },
    });
    const [registered] = gateway.accounts.of('register');
    expect(registered).toMatchObject({ user: 'alice@wonderland.lit', memory: '19456' });
    expect(registered).not.toHaveProperty('address');
    expect(await send('POST', '', { name: 'alice@looking-glass.lit', password: PASSWORD })).toMatchObject({
      status: 201,
    });
    expect(await send('POST', '', { name: 'alice', password: PASSWORD })).toMatchObject({ status: 409 });
    expect(await send('POST', '', { name: 'a b', password: PASSWORD })).toMatchObject({ status: 400 });
    expect(await send('POST', '', { name: 'bob' })).toMatchObject({
      status: 400,
      answer: { message: expect.stringContaining('"password"') },
    });
    expect(await send('POST', '', [])).toMatchObject({ status: 400 });
  });

  it('F21 get another password, are disabled, enabled and removed by name', async () => {
    const { gateway, send } = await startAdministered();
    expect(await send('PUT', '/alice/password', { password: 'new' })).toMatchObject({ status: 200 });
    expect(gateway.accounts.of('password')[0]).not.toHaveProperty('old');
    expect(await send('POST', '/alice/disable')).toMatchObject({ status: 200 });
    expect(await send('POST', '/alice%40looking-glass.lit/enable')).toMatchObject({ status: 200 });
    expect(gateway.accounts.of('set-state')).toEqual([
      { user: 'alice@wonderland.lit', state: 'disabled' },
      { user: 'alice@looking-glass.lit', state: 'enabled' },
    ]);
    expect(await send('DELETE', '/alice')).toMatchObject({ status: 200 });
    expect(gateway.accounts.of('remove')).toEqual([{ user: 'alice@wonderland.lit' }]);
  });

  it('F21 are not touched without the token', async () => {
    const { gateway, send } = await startAdministered();
    expect(await send('DELETE', '/alice', undefined, 'please')).toMatchObject({ status: 401 });
    expect(gateway.accounts.calls).toEqual([]);
  });
});
