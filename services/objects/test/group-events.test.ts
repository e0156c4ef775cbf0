/** By which groups the events of `config/groups` itself are judged (PROTOCOL §5, §6). */
import { expect, it } from 'vitest';
import { ALICE, BOB, openWorld, type World } from './world.ts';

const GROUPS = `${ALICE}/config/groups`;

/** The groups that the last event of each kind on `config/groups` is judged by. */
async function judgedBy(world: World): Promise<Record<string, unknown>> {
  await world.service.settled();
  return Object.fromEntries(
    world.changes.map(({ event: { event, groups } }) => [event, groups === undefined ? undefined : JSON.parse(groups)]),
  );
}

it('F42 F56 CREATED and UPDATED go by the groups as they stand after it, DELETED by those before', async () => {
  await using world = await openWorld();
  await world.update(ALICE, `${ALICE}/config`, {
    subscriptions: { [BOB]: { events: ['created', 'updated', 'deleted'], depth: 1 } },
  });
  await world.update(ALICE, GROUPS, { data: { old: [BOB] } });
  await world.delete(ALICE, GROUPS);
  await world.create(ALICE, GROUPS, { data: { new: [BOB] } });
  expect(await judgedBy(world)).toEqual({ UPDATED: { old: [BOB] }, DELETED: { old: [BOB] }, CREATED: { new: [BOB] } });
  await world.delete(ALICE, `${ALICE}/config`);
  expect(await judgedBy(world)).toMatchObject({ DELETED: { new: [BOB] } });
});
