/** `mtime`, which moves at every change (PROTOCOL §4), whatever the clock does. */
import { expect, it } from 'vitest';
import { ALICE, openWorld } from './world.ts';

it('F38 mtime is another after every UPDATE and WRITE, also within one millisecond and when the clock goes back', async () => {
  await using world = await openWorld({ users: [ALICE] });
  const id = `${ALICE}/a`;
  const seen: string[] = [];
  const note = async () => {
    const { mtime } = await world.see(ALICE, id);
    seen.push(String(mtime));
  };
  const begun = world.time.now;
  await world.create(ALICE, id);
  await note();
  for (const step of [0, 0, 10, -5_000, 0, 6_000]) {
    world.time.now += step;
    await world.update(ALICE, id, { data: seen.length });
    await note();
    await world.write(ALICE, id, `key ${seen.length}`);
    await note();
  }
  expect(seen).toEqual([...new Set(seen)].sort());
  // It never runs ahead further than changes came too fast or the clock was behind.
  expect(seen.map((mtime) => Date.parse(mtime) - begun)).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 1_010, 1_011]);
  expect(await world.see(ALICE, id)).toMatchObject({ btime: seen[0] });
});
