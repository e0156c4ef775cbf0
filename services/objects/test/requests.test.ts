/** Which request gets which answer (PROTOCOL §4): who asks, of what, in which state of the tree. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALICE, BOB, openWorld, over, QUEEN, WONDERLAND, type World } from './world.ts';

const NOBODY = `nobody@${WONDERLAND}`;
const FOREIGN = 'sister@realworld.lit';

type Request = 'select' | 'list' | 'create' | 'update' | 'delete' | 'read' | 'write';

/** A tree as every case finds it. */
async function plant(world: World, owner: string): Promise<void> {
  const rights = (...list: string[]) => ({ acl: { users: { [BOB]: list } } });
  const create = (path: string, body: unknown) => world.create(owner, owner + path, body);
  await world.register(owner);
  await Promise.all([
    create('/open', { data: 1, acl: { other: ['read-data', 'read-children'] } }),
    create('/open/child', { data: 2 }),
    create('/open/closed', { acl: { other: ['not-read-data', 'not-read-children'] } }),
    create('/bobs', rights('write-children', 'delete-children', 'write-data', 'write-attachment')),
    create('/bobs/thing', { data: 3 }),
    create('/childless', rights('read-children')),
    create('/writeonly', rights('write-data')),
    create('/file', { acl: { users: { [BOB]: ['read-attachment'], [QUEEN]: ['write-attachment'] } } }),
  ]);
  await world.write(owner, `${owner}/file`, `key of ${owner}`);
}

function send(world: World, user: string, request: Request, id: string, body?: string) {
  switch (request) {
    case 'select':
      return world.select(user, id);
    case 'list':
      return world.list(user, id);
    case 'create':
      return world.create(user, id, body ?? '{}');
    case 'update':
      return world.update(user, id, body ?? '{"data":"changed"}');
    case 'delete':
      return world.delete(user, id);
    case 'read':
      return world.openFile(user, id);
    case 'write':
      return world.beginFile(user, id, `new key for ${id}`);
  }
}

const CASES: readonly (readonly [user: string, request: Request, path: string, status: number, body?: string])[] = [
  // The owner of the tree.
  [ALICE, 'select', '', 200],
  [ALICE, 'select', '/nothing', 404],
  [ALICE, 'select', '/nothing/below', 404],
  [ALICE, 'list', '', 200],
  [ALICE, 'list', '/nothing', 404],
  [ALICE, 'create', '/new', 200],
  [ALICE, 'create', '/open', 409],
  [ALICE, 'create', '', 409],
  [ALICE, 'create', '/nothing/below', 412],
  [ALICE, 'create', '/new', 400, '{"data":'],
  [ALICE, 'create', '/new', 400, '[]'],
  [ALICE, 'create', '/new', 400, '{"colour":"red"}'],
  [ALICE, 'create', '/new', 400, '{"type":7}'],
  [ALICE, 'create', '/new', 400, '{"acl":{"owner":["fly"]}}'],
  [ALICE, 'create', '/new', 200, ''],
  [ALICE, 'create', '/open', 400, '{'],
  [ALICE, 'update', '/open', 200],
  [ALICE, 'update', '/nothing', 404],
  [ALICE, 'update', '/open', 400, ''],
  [ALICE, 'update', '/open', 400, '{"subscriptions":{"bob":{}}}'],
  [ALICE, 'update', '/nothing', 400, '{'],
  [ALICE, 'delete', '/open', 200],
  [ALICE, 'delete', '/nothing', 404],
  [ALICE, 'delete', '', 405],
  [ALICE, 'read', '/file', 200],
  [ALICE, 'read', '/open', 404],
  [ALICE, 'read', '/nothing', 404],
  [ALICE, 'write', '/open', 200],
  [ALICE, 'write', '/nothing', 404],
  // Somebody with a right to read.
  [BOB, 'select', '/open', 200],
  [BOB, 'select', '/open/child', 200],
  [BOB, 'select', '/open/nothing', 404],
  [BOB, 'list', '/open', 200],
  [BOB, 'update', '/open', 403],
  [BOB, 'update', '/open/nothing', 404],
  [BOB, 'delete', '/open/child', 403],
  [BOB, 'delete', '/open/nothing', 404],
  [BOB, 'create', '/open/new', 403],
  [BOB, 'create', '/open/child', 403],
  [BOB, 'create', '/open/nothing/below', 412],
  [BOB, 'read', '/open', 404],
  [BOB, 'write', '/open', 403],
  [BOB, 'write', '/open/nothing', 404],
  // Somebody without any right, on what exists and on what does not.
  [BOB, 'select', '', 403],
  [BOB, 'select', '/nothing', 403],
  [BOB, 'select', '/open/closed', 403],
  [BOB, 'select', '/open/closed/nothing', 403],
  [BOB, 'list', '', 403],
  [BOB, 'create', '', 403],
  [BOB, 'create', '/new', 403],
  [BOB, 'create', '/open/closed/new', 403],
  [BOB, 'create', '/nothing/new', 403],
  [BOB, 'create', '/new', 400, '{'],
  [BOB, 'update', '/open/closed', 403],
  [BOB, 'update', '/open/closed', 400, '{'],
  [BOB, 'delete', '/open', 403],
  [BOB, 'delete', '/nothing', 403],
  [BOB, 'delete', '', 403],
  [BOB, 'read', '', 403],
  [BOB, 'write', '', 403],
  // For CREATE and DELETE the parent counts as self: its rights decide, whatever the object itself says.
  [BOB, 'delete', '/open/closed', 403],
  [BOB, 'create', '/bobs/new', 200],
  [BOB, 'create', '/bobs/thing', 409],
  [BOB, 'create', '/bobs/nothing/new', 412],
  [BOB, 'delete', '/bobs/thing', 200],
  [BOB, 'delete', '/bobs/nothing', 404],
  [BOB, 'delete', '/bobs', 403],
  // One right is not another.
  [BOB, 'select', '/bobs', 403],
  [BOB, 'list', '/bobs', 403],
  [BOB, 'list', '/childless', 200],
  [BOB, 'select', '/childless', 200],
  [BOB, 'update', '/childless', 403],
  [BOB, 'update', '/writeonly', 200],
  [BOB, 'update', '/writeonly', 403, '{"acl":{"other":["read-data"]}}'],
  [BOB, 'select', '/writeonly', 403],
  [BOB, 'read', '/file', 200],
  [BOB, 'write', '/file', 403],
  [BOB, 'write', '/bobs', 200],
  [BOB, 'write', '/writeonly', 200],
  [QUEEN, 'read', '/file', 403],
  [QUEEN, 'write', '/file', 200],
  // Users of other domains have rights like anyone.
  [FOREIGN, 'select', '/open', 200],
  [FOREIGN, 'select', '/open/nothing', 404],
  [FOREIGN, 'select', '', 403],
];

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('F26 F27 F28 F29 F30 F31 F32 F34 F49 F50 requests', () => {
  it.each(CASES.map((row, number) => [number, ...row] as const))(
    '%i: %s, %s %s, is %i %s',
    async (number, user, request, path, status, body) => {
      const owner = `owner${number}@${WONDERLAND}`;
      await plant(world, owner);
      const answer = await send(world, user === ALICE ? owner : user, request, owner + path, body);
      expect(answer).toMatchObject({ status });
    },
  );

  it.each(['select', 'list', 'create', 'update', 'delete', 'read', 'write'] as const)(
    'F34 %s in the tree of a user who does not exist is 403, as in one where nothing is allowed',
    async (request) => {
      for (const path of ['', '/a']) {
        const there = await send(world, BOB, request, ALICE + path);
        const nowhere = await send(world, BOB, request, NOBODY + path);
        expect(there.status).toBe(403);
        expect(nowhere).toEqual({ ...there, message: there.message.replace(ALICE, NOBODY) });
      }
    },
  );

  it('F61 answers 421 for a tree of another domain, which is no secret', async () => {
    expect(await world.select(BOB, `${FOREIGN}/a`)).toMatchObject({ status: 421 });
    expect(await world.create(BOB, `${FOREIGN}/a`)).toMatchObject({ status: 421 });
  });

  it('F41 answers 403 to who may not read the attachment, whether there is one or not', async () => {
    const owner = `secretive@${WONDERLAND}`;
    await plant(world, owner);
    await world.write(owner, `${owner}/writeonly`, 'key of a hidden file');
    expect((await world.openFile(BOB, `${owner}/bobs`)).status).toBe(403);
    expect((await world.openFile(BOB, `${owner}/writeonly`)).status).toBe(403);
  });
});

it('refuses what waited beyond its deadline, and does nothing', async () => {
  let isLate = false;
  await using slow = await openWorld({
    wrapStore: (store) =>
      over(store, {
        write: (tree, work) => {
          slow.time.now += isLate ? 20_000 : 0;
          return store.write(tree, work);
        },
      }),
    users: [],
  });
  await slow.register(ALICE);
  isLate = true;
  expect((await slow.create(ALICE, `${ALICE}/late`)).status).toBe(408);
  expect((await slow.select(ALICE, `${ALICE}/late`)).status).toBe(404);
});
