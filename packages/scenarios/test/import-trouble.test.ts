/** Imports and exports to which things happen: files that cannot be read or change, servers that go away, hostile names. */
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ALICE, PASSWORD, TestSession } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Cli } from '../src/cli.ts';
import { hashesOf } from '../src/folders.ts';
import { Home } from '../src/home.ts';

const SKIPPED = 3;

async function begin(): Promise<{ home: Home; alice: Cli; path: (name: string) => string }> {
  const home = await Home.start();
  const path = (name: string): string => join(home.directory.path, name);
  const alice = new Cli(home.url, path('alice.json'));
  await alice.succeed('register', 'alice');
  mkdirSync(path('source'));
  return { home, alice, path };
}

describe('an import in trouble', () => {
  it('F31 skips and lists files and folders that it may not read', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    for (const name of ['closed folder', 'open folder']) {
      mkdirSync(path(`source/${name}`));
      writeFileSync(path(`source/${name}/file`), name);
    }
    writeFileSync(path('source/closed'), 'secret');
    chmodSync(path('source/closed'), 0);
    chmodSync(path('source/closed folder'), 0);
    const { code, stdout } = await alice.runUnprivileged('import', path('source'), `${ALICE}/backup`, '--json');
    const report = JSON.parse(stdout);
    expect([code, report.files]).toEqual([SKIPPED, 1]);
    expect(report.skipped.map((skipped: { path: string }) => skipped.path).sort()).toEqual([
      path('source/closed'),
      path('source/closed folder'),
    ]);
    chmodSync(path('source/closed'), 0o600);
    chmodSync(path('source/closed folder'), 0o700);
    expect(JSON.parse(await alice.succeed('import', path('source'), `${ALICE}/backup`, '--json'))).toMatchObject({
      files: 2,
      unchanged: 1,
    });
  });

  it('F31 lists a file that changes while it is read, and stores it the next time', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    const log = path('source/log');
    writeFileSync(log, 'x'.repeat(1_000_000));
    writeFileSync(path('source/other'), 'other');
    let running = true;
    const growing = (): void => {
      appendFileSync(log, 'another line\n');
      if (running) {
        setImmediate(growing);
      }
    };
    growing();
    const { code, stdout } = await alice.run('import', path('source'), `${ALICE}/backup`, '--json');
    running = false;
    const skipped = [{ path: log, reason: expect.stringContaining('changed while it was read') }];
    expect([code, JSON.parse(stdout)]).toEqual([SKIPPED, expect.objectContaining({ files: 1, skipped })]);
    truncateSync(log, 10);
    expect(JSON.parse(await alice.succeed('import', path('source'), `${ALICE}/backup`, '--json'))).toMatchObject({
      files: 1,
      unchanged: 1,
    });
    await alice.succeed('export', `${ALICE}/backup`, path('target'));
    expect(hashesOf(path('target'))).toEqual(hashesOf(path('source')));
  });

  it('F31 goes on when the server is killed and comes back', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    for (let index = 0; index < 300; index++) {
      writeFileSync(path(`source/file${index}`), `content ${index}`);
    }
    const watcher = await TestSession.logIn(home.url, ALICE);
    const subscriptions = { [ALICE]: { events: ['created'], depth: -1 } };
    await watcher.succeed('UPDATE', `${ALICE}/`, { body: { subscriptions } });
    const importing = alice.run('import', path('source'), `${ALICE}/backup`, '--json');
    await watcher.notifications.take(40);
    await home.restart('SIGKILL');
    const { code, stdout, stderr } = await importing;
    expect([code, stderr, JSON.parse(stdout).skipped]).toEqual([0, '', []]);
    await alice.succeed('export', `${ALICE}/backup`, path('target'));
    expect(hashesOf(path('target'))).toEqual(hashesOf(path('source')));
  });

  it('F34 ends at once where the resource is not to be had', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    expect(await alice.run('import', path('source'), `${ALICE}/a/b`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(412)'),
    });
    expect((await alice.run('import', path('source'), 'queen@wonderland.lit/a')).stderr).toContain('(403)');
    expect((await alice.run('export', `${ALICE}/nothing`, path('target'))).stderr).toContain('(404)');
    writeFileSync(path('source/a'), 'a');
    await alice.succeed('import', path('source'), 'ALICE@Wonderland.Lit/');
    expect(await alice.succeed('ls', `${ALICE}/`)).toBe('a\nconfig\n');
  });
});

describe('an export', () => {
  it('F32 keeps objects that hold a file and children, and children with one name, apart', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    const session = await TestSession.logIn(home.url, ALICE, PASSWORD);
    const files = ['both', 'both/A', 'both/%41', 'both/%2541', 'both/%25file', 'both/%25object.json', 'both/plain'];
    for (const file of files) {
      await session.succeed('CREATE', `${ALICE}/${file}`, { body: file === 'both' ? { data: 'more' } : {} });
      await session.succeed('WRITE', `${ALICE}/${file}`, { body: `the file of ${file}` });
    }
    await alice.succeed('export', `${ALICE}/both`, path('target'));
    const found = readdirSync(path('target')).map((name) => readFileSync(path(`target/${name}`), 'utf8'));
    expect(found.filter((text) => text.startsWith('the file')).sort()).toEqual(
      files.map((file) => `the file of ${file}`).sort(),
    );
    expect(found.find((text) => text.includes('"data":"more"'))).toBeDefined();
    expect(readFileSync(path('target/A'), 'utf8')).toBe('the file of both/A');
    expect(readFileSync(path('target/%file'), 'utf8')).toBe('the file of both/%25file');
  });

  it('F32 follows no link that is in the folder already, whatever stands there', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    for (const [resource, object] of [
      ['a', '{"data":1}'],
      ['a/file', '{}'],
      ['a/b', '{}'],
      ['a/b/c', '{"data":2}'],
    ] as const) {
      await alice.succeed('create', `${ALICE}/${resource}`, object);
    }
    await alice.feed('of the server', 'write', `${ALICE}/a/file`);
    writeFileSync(path('outside'), 'as before');
    mkdirSync(path('target'));
    for (const name of ['file', '%object.json']) {
      symlinkSync(path('outside'), path(`target/${name}`));
    }
    await alice.succeed('export', `${ALICE}/a`, path('target'));
    expect(readFileSync(path('outside'), 'utf8')).toBe('as before');
    expect(readFileSync(path('target/file'), 'utf8')).toBe('of the server');
    expect(lstatSync(path('target/file')).isSymbolicLink()).toBe(false);

    mkdirSync(path('elsewhere'));
    mkdirSync(path('second/b'), { recursive: true });
    symlinkSync(path('elsewhere'), path('second/b/c'));
    expect(await alice.run('export', `${ALICE}/a`, path('second'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is no folder'),
    });
    expect(readdirSync(path('elsewhere'))).toEqual([]);
  });

  it('F32 goes on where an interrupted one stopped, and leaves nothing half there', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    for (let index = 0; index < 20; index++) {
      writeFileSync(path(`source/file${index}`), Buffer.alloc(1_000_000, index));
    }
    await alice.succeed('import', path('source'), `${ALICE}/backup`);
    const child = alice.start('export', `${ALICE}/backup`, path('target'));
    const ended = new Promise((resolve) => child.once('close', resolve));
    while (!(readdirOrNothing(path('target')).some((name) => name.startsWith('file')) || child.exitCode !== null)) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    child.kill('SIGINT');
    await ended;
    const source = hashesOf(path('source'));
    for (const [name, hash] of hashesOf(path('target'))) {
      expect(source.get(name)).toBe(hash);
    }
    await alice.succeed('export', `${ALICE}/backup`, path('target'));
    expect(hashesOf(path('target'))).toEqual(source);
  });
});

function readdirOrNothing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
