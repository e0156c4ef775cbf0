import { describe, expect, it } from 'vitest';
import { BoundedTasks } from '../src/bounded.ts';

describe('bounded tasks', () => {
  it('run at most so many at once, and all of them', async () => {
    const tasks = new BoundedTasks(3);
    let running = 0;
    let most = 0;
    let ended = 0;
    for (let index = 0; index < 20; index++) {
      await tasks.add(async () => {
        running++;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => setImmediate(resolve));
        running--;
        ended++;
      });
    }
    await tasks.done();
    expect([most, ended]).toEqual([3, 20]);
  });

  it('stop at the first failure, once what runs has ended', async () => {
    const tasks = new BoundedTasks(2);
    const slow = Promise.withResolvers<void>();
    await tasks.add(() => slow.promise);
    await tasks.add(() => Promise.reject(new Error('the first')));
    await expect(tasks.add(() => Promise.reject(new Error('never begun')))).rejects.toThrow('the first');
    slow.resolve();
    await expect(tasks.done()).rejects.toThrow('the first');
  });
});
