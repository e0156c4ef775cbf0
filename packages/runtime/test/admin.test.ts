import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AdminRoute,
  type AdminServer,
  createLog,
  Health,
  Metrics,
  Secret,
  StartError,
  startAdmin,
} from '../src/index.ts';

const ROUTES: readonly AdminRoute[] = [
  { method: 'GET', path: '/accounts/:name', handle: async (request) => ({ status: 200, body: request }) },
  { method: 'POST', path: '/accounts', handle: async ({ body }) => ({ status: 201, body }) },
  { method: 'DELETE', path: '/accounts/:name', handle: async () => ({ status: 204 }) },
  { method: 'GET', path: '/fails', handle: () => Promise.reject(new Error('a secret')) },
  {
    method: 'GET',
    path: '/refuses',
    handle: () => Promise.reject(Object.assign(new Error('no such account'), { status: 404 })),
  },
];
const TOKEN = { authorization: 'Bearer correct horse' };

let health: Health;
let logged: string[];
let admin: AdminServer;

async function start(token: Secret<string> | undefined): Promise<AdminServer> {
  const log = await createLog({ name: 'test', level: 'info', to: { write: (line) => logged.push(line) } });
  const metrics = new Metrics();
  metrics.counter('seen_total', 'seen').add(3);
  return startAdmin({ host: '127.0.0.1', port: 0, health, metrics, log, routes: ROUTES, token });
}

function ask(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`http://127.0.0.1:${admin.port}${path}`, init);
}

beforeEach(async () => {
  health = new Health();
  logged = [];
  admin = await start(new Secret('correct horse'));
});

afterEach(() => admin.close());

describe('probes', () => {
  it('/livez is well as long as the process runs', async () => {
    expect((await ask('/livez')).status).toBe(200);
  });

  it('/startupz waits for the start alone', async () => {
    expect((await ask('/startupz')).status).toBe(503);
    expect((await ask('/livez')).status).toBe(200);
    const clear = health.obstruct('NATS cannot be reached');
    health.started();
    expect((await ask('/startupz')).status).toBe(200);
    expect((await ask('/readyz')).status).toBe(503);
    clear();
    health.draining();
    expect((await ask('/startupz')).status).toBe(200);
  });

  it('/readyz says why not, from the start to the drain', async () => {
    const readiness = async () => {
      const response = await ask('/readyz');
      return { status: response.status, ...Object(await response.json()) };
    };
    expect(await readiness()).toEqual({ status: 503, ready: false, reasons: ['starting'] });
    health.started();
    expect(await readiness()).toEqual({ status: 200, ready: true, reasons: [] });
    const clear = health.obstruct('postgres cannot be reached');
    expect(await readiness()).toEqual({ status: 503, ready: false, reasons: ['postgres cannot be reached'] });
    clear();
    expect(await readiness()).toEqual({ status: 200, ready: true, reasons: [] });
    health.draining();
    health.started();
    expect(await readiness()).toEqual({ status: 503, ready: false, reasons: ['draining'] });
  });

  it('/metrics is what Prometheus reads', async () => {
    const response = await ask('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('seen_total 3');
  });
});

describe('routes of the service', () => {
  it.each([
    [undefined, 401],
    ['Bearer wrong horse', 401],
    ['Bearer correct horse ', 200],
    ['Bearer correct', 401],
    ['correct horse', 401],
    ['Bearer correct horse', 200],
  ])('answer authorization %j with %i', async (authorization, status) => {
    const response = await ask('/accounts/alice', authorization === undefined ? {} : { headers: { authorization } });
    expect(response.status).toBe(status);
  });

  it('are given parameters, query and body', async () => {
    const response = await ask('/accounts/%C3%A4lice?state=disabled', { headers: TOKEN });
    expect(await response.json()).toEqual({ params: { name: 'älice' }, query: { state: 'disabled' } });
    const body = JSON.stringify({ name: 'bob' });
    const posted = await ask('/accounts', {
      method: 'POST',
      headers: { ...TOKEN, 'content-type': 'application/json' },
      body,
    });
    expect([posted.status, await posted.json()]).toEqual([201, { name: 'bob' }]);
    expect((await ask('/accounts/bob', { method: 'DELETE', headers: TOKEN })).status).toBe(204);
  });

  it.each([
    ['/fails', 500, { message: 'failed; the log says why' }],
    ['/refuses', 404, { message: 'no such account' }],
  ])('%s answers %i and keeps to itself what is not the client’s', async (path, status, body) => {
    const response = await ask(path, { headers: TOKEN });
    expect([response.status, await response.json()]).toEqual([status, body]);
    expect(logged.join().includes('a secret')).toBe(status === 500);
  });

  it('refuse a body that is no JSON', async () => {
    const headers = { ...TOKEN, 'content-type': 'application/json' };
    expect((await ask('/accounts', { method: 'POST', headers, body: '{' })).status).toBe(400);
  });

  it('are off without a token', async () => {
    await admin.close();
    admin = await start(undefined);
    expect((await ask('/accounts/alice', { headers: TOKEN })).status).toBe(403);
    expect((await ask('/livez')).status).toBe(200);
  });
});

it('a port in use is told with the variable that changes it', async () => {
  const log = await createLog({ name: 'test', level: 'silent' });
  const started = startAdmin({ host: '127.0.0.1', port: admin.port, health, metrics: new Metrics(), log });
  await expect(started).rejects.toThrow(StartError);
  await expect(started).rejects.toThrow(`port ${admin.port} on 127.0.0.1 is in use; set FOSP_ADMIN_PORT`);
});
