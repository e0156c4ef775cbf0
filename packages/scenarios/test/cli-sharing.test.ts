/** `fosp share`, `unshare` and `watch`: what bob sees and hears, and when that ends. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ALICE, BOB, Inbox, within } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Cli, type CliResult, resultOf } from '../src/cli.ts';
import { Home } from '../src/home.ts';

async function people(): Promise<{ home: Home; alice: Cli; bob: Cli }> {
  const home = await Home.start();
  const alice = new Cli(home.url, `${home.directory.path}/alice.json`);
  const bob = new Cli(home.url, `${home.directory.path}/bob.json`);
  await Promise.all([alice.succeed('register', 'alice'), bob.succeed('register', 'bob')]);
  for (const path of ['shared', 'shared/inner', 'shared/inner/deep', 'private']) {
    await alice.succeed('create', `${ALICE}/${path}`, JSON.stringify({ data: path }));
  }
  return { home, alice, bob };
}

interface Watch {
  readonly child: ChildProcess;
  readonly lines: Inbox<string>;
  readonly ended: Promise<CliResult>;
}

/** Starts to watch; resolves once it does. */
async function watching(person: Cli, ...args: readonly string[]): Promise<Watch> {
  const child = person.start('watch', ...args);
  const lines = new Inbox<string>(`a line of watch ${args.join(' ')}`);
  const ended = resultOf(child);
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => lines.add(line));
  }
  await untilLine(lines, 'Watching');
  return { child, lines, ended };
}

async function untilLine(lines: Inbox<string>, text: string): Promise<string[]> {
  const seen: string[] = [];
  while (seen.at(-1)?.includes(text) !== true) {
    seen.push(await lines.next());
  }
  return seen;
}

async function subscriptionsOf(person: Cli, resource: string): Promise<unknown> {
  return JSON.parse(await person.succeed('get', resource, '--json')).subscriptions;
}

describe('fosp share and unshare', () => {
  it.each([
    ['read', [true, false, false]],
    ['write', [true, true, false]],
    ['manage', [true, true, true]],
  ])('F43 F47 F48 %s gives these rights and no others, and unshare takes them back', async (rights, expected) => {
    const { home, alice, bob } = await people();
    await using _home = home;
    const may = async (): Promise<boolean[]> => [
      (await bob.run('get', `${ALICE}/shared/inner`)).code === 0,
      (await bob.run('patch', `${ALICE}/shared/inner`, JSON.stringify({ data: Math.random() }))).code === 0,
      (await bob.run('share', `${ALICE}/shared/inner`, 'carol@wonderland.lit')).code === 0,
    ];
    await alice.succeed('share', `${ALICE}/shared`, 'Bob@Wonderland.LIT', '--rights', rights, '--no-watch');
    expect(await may()).toEqual(expected);
    expect((await bob.run('watch', `${ALICE}/shared`)).stderr).toContain('403');
    expect((await bob.run('get', `${ALICE}/private`)).code).toBe(1);
    await alice.succeed('unshare', `${ALICE}/shared`, BOB);
    expect(await may()).toEqual([false, false, false]);
  });

  it('F51 F57 lets bob watch, not set what others watch, and hear nothing after unshare, below neither', async () => {
    const { home, alice, bob } = await people();
    await using _home = home;
    await alice.succeed('share', `${ALICE}/shared`, BOB);
    const below = await watching(bob, `${ALICE}/shared/inner`, '--keep');
    const others = JSON.stringify({ subscriptions: { [ALICE]: { events: ['created'] } } });
    expect((await bob.run('patch', `${ALICE}/shared`, others)).code).toBe(1);
    await alice.succeed('patch', `${ALICE}/shared/inner/deep`, '{"data":"seen"}');
    await untilLine(below.lines, '"seen"');
    await alice.succeed('unshare', `${ALICE}/shared`, BOB);
    await alice.succeed('patch', `${ALICE}/shared/inner/deep`, '{"data":"hidden"}');
    // What is his own comes after what was not for him.
    await bob.succeed('create', `${BOB}/own`);
    const own = await watching(bob, `${BOB}/own`);
    await bob.succeed('patch', `${BOB}/own`, '{"data":"own"}');
    await untilLine(own.lines, '"own"');
    below.child.kill('SIGINT');
    expect((await below.ended).stdout).not.toContain('hidden');
    own.child.kill('SIGINT');
    expect((await own.ended).code).toBe(0);
  });

  it('F42 F48 unshare --below takes back what was given, and subscribed to, on each object below', async () => {
    const { home, alice, bob } = await people();
    await using _home = home;
    await alice.succeed('share', `${ALICE}/shared`, BOB);
    await alice.succeed('share', `${ALICE}/shared/inner/deep`, BOB);
    const kept = await watching(bob, `${ALICE}/shared/inner`, '--keep');
    kept.child.kill('SIGTERM');
    await kept.ended;
    await alice.succeed('unshare', `${ALICE}/shared`, BOB);
    expect((await bob.run('get', `${ALICE}/shared/inner`)).code).toBe(1);
    expect((await bob.run('get', `${ALICE}/shared/inner/deep`)).code).toBe(0);
    expect(await subscriptionsOf(alice, `${ALICE}/shared/inner`)).toHaveProperty([BOB]);

    const taken = JSON.parse(await alice.succeed('unshare', `${ALICE}/shared`, BOB, '--below', '--json'));
    expect(taken).toMatchObject({ objects: 3 });
    expect((await bob.run('get', `${ALICE}/shared/inner/deep`)).code).toBe(1);
    expect(await subscriptionsOf(alice, `${ALICE}/shared/inner`)).toBeUndefined();
  });
});

describe('fosp watch', () => {
  it('F52 F53 puts an earlier subscription back, or leaves its own with --keep', async () => {
    const { home, alice } = await people();
    await using _home = home;
    const before = { [ALICE]: { events: ['deleted'], depth: 3 } };
    await alice.succeed('patch', `${ALICE}/shared`, JSON.stringify({ subscriptions: before }));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const watch = await watching(alice, `${ALICE}/shared`, '--depth', '1');
      expect(await subscriptionsOf(alice, `${ALICE}/shared`)).toMatchObject({ [ALICE]: { depth: 1 } });
      watch.child.kill(signal);
      expect((await watch.ended).code).toBe(0);
      expect(await subscriptionsOf(alice, `${ALICE}/shared`)).toEqual(before);
    }
    const line = `fosp watch ${ALICE}/shared | head -n 1; true`;
    const head = alice.shell(line);
    await within(Promise.all([head, poke(alice, head)]), 'the end of a watch that nobody reads', 100_000);
    expect(await subscriptionsOf(alice, `${ALICE}/shared`)).toEqual(before);
    const watch = await watching(alice, `${ALICE}/shared`, '--keep', '--depth', '0');
    watch.child.kill('SIGINT');
    expect((await watch.ended).code).toBe(0);
    expect(await subscriptionsOf(alice, `${ALICE}/shared`)).toMatchObject({ [ALICE]: { depth: 0 } });
  });

  it('F52 F53 F58 prints what changes there and no deeper than asked, whatever else its user is subscribed to', async () => {
    const { home, alice } = await people();
    await using _home = home;
    const everything = JSON.stringify({ subscriptions: { [ALICE]: { events: ['created', 'updated'], depth: -1 } } });
    await alice.succeed('patch', `${ALICE}/`, everything);
    const watch = await watching(alice, 'ALICE@wonderland.LIT/shared', '--depth', '1');
    await alice.succeed('patch', `${ALICE}/private`, '{"data":"elsewhere"}');
    await alice.succeed('patch', `${ALICE}/shared/inner/deep`, '{"data":"too deep"}');
    await alice.succeed('patch', `${ALICE}/shared/inner`, '{"data":"seen"}');
    const seen = await untilLine(watch.lines, '"seen"');
    expect(seen.join()).not.toMatch(/elsewhere|too deep/);
    watch.child.kill('SIGINT');
    await watch.ended;
  });

  it('F58 tells of a gap when the server was away, goes on, and still puts the subscription back', async () => {
    const { home, alice } = await people();
    await using _home = home;
    const watch = await watching(alice, `${ALICE}/shared`);
    await home.restart('SIGKILL');
    await untilLine(watch.lines, 'the connection was lost');
    await alice.succeed('create', `${ALICE}/shared/after`);
    await untilLine(watch.lines, `CREATED ${ALICE}/shared/after`);
    watch.child.kill('SIGINT');
    expect((await watch.ended).code).toBe(0);
    expect(await subscriptionsOf(alice, `${ALICE}/shared`)).toBeUndefined();
  });

  it('F55 ends well when what it watched is gone', async () => {
    const { home, alice } = await people();
    await using _home = home;
    const watch = await watching(alice, `${ALICE}/shared/inner`);
    await alice.succeed('rm', `${ALICE}/shared`);
    await untilLine(watch.lines, 'DELETED');
    watch.child.kill('SIGINT');
    expect(await watch.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

/** Changes the object until the watch noticed that nobody reads what it prints. */
async function poke(person: Cli, end: Promise<unknown>): Promise<void> {
  let over = false;
  void end.then(() => {
    over = true;
  });
  while (!over) {
    await person.succeed('patch', `${ALICE}/shared`, JSON.stringify({ data: Math.random() }));
  }
}
