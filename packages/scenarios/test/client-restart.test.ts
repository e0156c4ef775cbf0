/** A server that is asked to stop and comes back (1012): the SDK asks again whatever was not answered, once each. */
import { ALICE } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { failureOf, Home } from '../src/home.ts';

const IN_FLIGHT = 20;
const RESTARTS = 3;

describe('a client whose server restarts', () => {
  it('F13 sees no request fail, nor done twice, nor out of turn', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.create(`${ALICE}/all`);
    let made = 0;
    let isDone = false;
    const failures: unknown[] = [];
    // A child is asked for before its parent is there: right on one connection, and so over two.
    const makeSome = async () => {
      while (!isDone) {
        const name = `${ALICE}/all/n${made++}`;
        const child = `${name}/child`;
        const asked = [alice.create(name), alice.create(child), alice.write(child, BYTES)];
        failures.push(...(await Promise.all(asked.map(failureOf))).filter((failure) => failure !== undefined));
      }
    };
    const makers = Array.from({ length: IN_FLIGHT }, makeSome);
    for (let restart = 0; restart < RESTARTS; restart++) {
      const before = made;
      await expect.poll(() => made).toBeGreaterThan(before + IN_FLIGHT);
      await home.restart('SIGTERM');
    }
    isDone = true;
    await Promise.all(makers);
    expect(failures).toEqual([]);
    expect(made).toBeGreaterThan(IN_FLIGHT * (RESTARTS + 1));
    const names = await Array.fromAsync(alice.list(`${ALICE}/all`));
    expect(names.toSorted()).toEqual(Array.from({ length: made }, (_, at) => `n${at}`).toSorted());
  });
});

const BYTES = Buffer.from('a file');
