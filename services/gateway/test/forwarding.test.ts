import { fospError } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import { FederationStandIn, forbidden } from './federation-stand-in.ts';
import { startGateway } from './harness.ts';

const SISTER = 'sister@realworld.lit';

async function start(options: Parameters<typeof startGateway>[0] = {}) {
  const gateway = await startGateway(options);
  const federation = await FederationStandIn.serve(gateway.bus);
  return { gateway, federation };
}

describe('requests on other domains', () => {
  it('F61 are forwarded without what a client may not claim, and answered as the other domain does', async () => {
    const { gateway, federation } = await start();
    await federation.own('realworld.lit');
    const headers = '{"Retry-After":"5","To":"alice@wonderland.lit","User":"alice","ETag":"\\"7\\"","X-Odd":"a: b"}';
    federation.forward = () => ({ status: '404', headers, body: '{"message":"no"}' });
    const alice = await gateway.logIn('alice');
    const response = await alice.request('CREATE', `${SISTER}/a`, {
      headers: { From: 'queen@wonderland.lit', User: 'queen', To: 'x', Id: '1', 'X-Mark': '1', 'If-Match': '"1"' },
      body: '{}',
    });
    expect(response).toMatchObject({ status: 404, binary: false });
    expect(response.headers).toEqual({ 'Retry-After': '5' });
    expect(response.body.toString()).toBe('{"message":"no"}');
    expect(federation.forwarded).toEqual([
      {
        fields: { user: 'alice@wonderland.lit', type: 'CREATE', tree: SISTER, path: '/a', headers: '{"X-Mark":"1"}' },
        body: Buffer.from('{}'),
      },
    ]);
  });

  it('F61 carry conditions and pages, and come back with tags, for clients that agreed on them', async () => {
    const { gateway, federation } = await start();
    await federation.own('realworld.lit');
    federation.forward = () => ({ status: '200', headers: '{"ETag":"\\"7\\"","Next":"b"}', body: '["a"]' });
    const alice = await gateway.logIn('alice', { extensions: ['etag', 'page'] });
    const headers = { 'If-Match': '"1"', Limit: '1', After: 'x' };
    expect((await alice.request('LIST', `${SISTER}/a`, { headers })).headers).toEqual({ ETag: '"7"', Next: 'b' });
    expect(federation.forwarded.map(({ fields }) => JSON.parse(fields['headers'] ?? ''))).toEqual([headers]);
    const bob = await gateway.logIn('bob');
    expect((await bob.request('LIST', `${SISTER}/a`, { headers })).headers).toEqual({});
  });

  it('F61 have somebody take the links to a domain that nobody talks to, once for many requests', async () => {
    const { gateway, federation } = await start();
    const taking = Promise.withResolvers<undefined>();
    federation.adopt = async (domain) => {
      await taking.promise;
      await federation.own(domain);
      return undefined;
    };
    const alice = await gateway.logIn('alice');
    const requests = Array.from({ length: 20 }, () => alice.request('SELECT', `${SISTER}/a`));
    await expect.poll(() => federation.adopted.length > 0).toBe(true);
    taking.resolve(undefined);
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(requests.map(() => 200));
    expect(federation.adopted).toEqual(['realworld.lit']);
    expect(federation.forwarded).toHaveLength(20);
  });

  it('F68 wait until somebody is there who is about to take them over', async () => {
    const { gateway, federation } = await start();
    const disown = await federation.own('realworld.lit');
    const alice = await gateway.logIn('alice');
    await alice.succeed('SELECT', `${SISTER}/a`);
    await disown();
    federation.adopt = async (domain) => {
      if (federation.adopted.length === 3) {
        await federation.own(domain);
      }
      return undefined;
    };
    expect((await alice.request('SELECT', `${SISTER}/a`)).status).toBe(200);
    expect(federation.adopted).toHaveLength(3);
  });

  it.each([
    [403, forbidden('There is no federation with realworld.lit.')],
    [504, fospError('unreachable', 'realworld.lit cannot be reached.')],
  ])('F66 are answered %i where the federation service says so', async (status, error) => {
    const { gateway, federation } = await start();
    federation.adopt = () => error;
    const alice = await gateway.logIn('alice');
    const response = await alice.request('SELECT', `${SISTER}/a`);
    expect(response.status).toBe(status);
    expect(JSON.parse(response.body.toString())).toEqual({ message: error.message });
    for (const type of ['READ', 'WRITE'] as const) {
      expect((await alice.request(type, `${SISTER}/a`, { body: 'bytes' })).status).toBe(status);
    }
  });

  it('F34 F61 are held to the reach of the domain before their bodies are too large', async () => {
    const { gateway, federation } = await start({
      environment: { FOSP_LIMIT_OBJECT: '4 KiB', FOSP_LIMIT_ACL: '1 KiB' },
    });
    await federation.own('realworld.lit');
    federation.reach = ({ tree }) => (tree === SISTER ? undefined : fospError('unreachable', 'It is down.'));
    const alice = await gateway.logIn('alice');
    const create = (tree: string) => alice.request('CREATE', `${tree}/a`, { body: Buffer.alloc(22 * 1024, 0x20) });
    expect((await create('down@realworld.lit')).status).toBe(504);
    expect((await create(SISTER)).status).toBe(413);
    expect((await create('alice@wonderland.lit')).status).toBe(413);
    expect(federation.reached).toEqual([
      { user: 'alice@wonderland.lit', tree: 'down@realworld.lit' },
      { user: 'alice@wonderland.lit', tree: SISTER },
    ]);
    expect(federation.forwarded).toEqual([]);
  });

  it('F61 F13 keep their order with others of the same client', async () => {
    const { gateway, federation } = await start();
    await federation.own('realworld.lit');
    const alice = await gateway.logIn('alice');
    const types = ['CREATE', 'UPDATE', 'SELECT', 'DELETE'] as const;
    await Promise.all(types.map((type) => alice.succeed(type, `${SISTER}/a`, type === 'UPDATE' ? { body: '{}' } : {})));
    expect(federation.forwarded.map(({ fields }) => fields['type'])).toEqual(types);
  });

  it.each(['', '99', 'x', '700'])('F34 are answered 502 where the status is %j', async (status) => {
    const { gateway, federation } = await start();
    await federation.own('realworld.lit');
    federation.forward = () => ({ status, headers: '{}' });
    const alice = await gateway.logIn('alice');
    expect((await alice.request('SELECT', `${SISTER}/a`)).status).toBe(502);
  });
});
