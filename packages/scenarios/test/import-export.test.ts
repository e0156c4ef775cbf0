import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ALICE, BOB, Inbox, ServerProcess, startBadNetwork, TestSession, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Cli, resultOf } from '../src/cli.ts';
import { hashesOf, makeOddFolder, UNSTORABLE } from '../src/folders.ts';

const ATTACHMENT_LIMIT = 1024 * 1024;

async function people(directory: string): Promise<{ server: ServerProcess; alice: Cli; bob: Cli }> {
  const server = await ServerProcess.start({
    dataDirectory: join(directory, 'data'),
    environment: { FOSP_LIMIT_ATTACHMENT: String(ATTACHMENT_LIMIT) },
  });
  const alice = new Cli(server.url, join(directory, 'alice.json'));
  const bob = new Cli(server.url, join(directory, 'bob.json'));
  await alice.succeed('register', 'alice');
  await bob.succeed('register', 'bob');
  return { server, alice, bob };
}

describe('fosp import and export', () => {
  it('F31 F32 F40 brings a folder with every odd name there and back, and lists what it had to skip', async () => {
    await using directory = await temporaryDirectory();
    const source = join(directory.path, 'source');
    makeOddFolder(source, ATTACHMENT_LIMIT + 1);
    const { server, alice } = await people(directory.path);
    await using _server = server;

    const imported = await alice.run('import', source, `${ALICE}/backup`, '--json');
    expect(imported.code).toBe(3);
    expect(JSON.parse(imported.stdout).skipped).toHaveLength(UNSTORABLE);

    const target = join(directory.path, 'target');
    await alice.succeed('export', `${ALICE}/backup`, target);
    const expected = hashesOf(source);
    expect(expected.delete('/too large')).toBe(true);
    expect(expected.delete(`/${'%'.repeat(250)}`)).toBe(true);
    expect(hashesOf(target)).toEqual(expected);
  });

  it('F31 goes on where an interrupted import stopped, and sends again only what changed', async () => {
    await using directory = await temporaryDirectory();
    const source = join(directory.path, 'source');
    mkdirSync(source);
    for (let index = 0; index < 400; index++) {
      writeFileSync(join(source, `file${index}`), `content ${index}`);
    }
    const { server, alice } = await people(directory.path);
    await using _server = server;
    const watcher = await TestSession.logIn(server.url, ALICE);
    await watcher.succeed('UPDATE', `${ALICE}/`, {
      body: { subscriptions: { [ALICE]: { events: ['created'], depth: -1 } } },
    });

    // Over this process, so that nothing goes on while it does not look.
    await using network = await startBadNetwork({ port: Number(new URL(server.url).port) });
    const behind = new Cli(`ws://127.0.0.1:${network.port}`, join(directory.path, 'behind.json'));
    await behind.succeed('login', 'alice');
    const interrupted = behind.start('import', source, `${ALICE}/backup`);
    const ended = resultOf(interrupted);
    await watcher.notifications.take(40);
    network.hold();
    interrupted.kill('SIGKILL');
    expect((await ended).code).toBe(null);

    const again = JSON.parse(await alice.succeed('import', source, `${ALICE}/backup`, '--json'));
    expect(again.files + again.unchanged).toBe(400);
    expect(again.unchanged).toBeGreaterThan(0);
    expect(again.files).toBeGreaterThan(0);
    writeFileSync(join(source, 'file7'), 'changed');
    expect(JSON.parse(await alice.succeed('import', source, `${ALICE}/backup`, '--json'))).toMatchObject({
      files: 1,
      unchanged: 399,
    });
    const target = join(directory.path, 'target');
    await alice.succeed('export', `${ALICE}/backup`, target);
    expect(hashesOf(target)).toEqual(hashesOf(source));
  });

  it('never writes outside the folder it exports to', async () => {
    await using directory = await temporaryDirectory();
    const { server, alice } = await people(directory.path);
    await using _server = server;
    const session = await TestSession.logIn(server.url, ALICE);
    await session.succeed('CREATE', `${ALICE}/evil`);
    for (const name of ['%2E%2E', '%2E', '%2Fetc', '..%2F..%2Foutside', 'a%00b', '%2E%2E%2F%2E%2E%2Foutside']) {
      await session.succeed('CREATE', `${ALICE}/evil/${name}`);
      await session.succeed('WRITE', `${ALICE}/evil/${name}`, { body: 'evil' });
      await session.succeed('CREATE', `${ALICE}/evil/${name}/child`);
      await session.succeed('WRITE', `${ALICE}/evil/${name}/child`, { body: 'evil' });
    }
    const top = join(directory.path, 'top');
    mkdirSync(join(top, 'elsewhere'), { recursive: true });
    mkdirSync(join(top, 'target'));
    await alice.succeed('export', `${ALICE}/evil`, join(top, 'target'));
    const found = [...hashesOf(top).keys()];
    expect(found.length).toBe(12);
    expect(found.filter((path) => !path.startsWith('/target/'))).toEqual([]);

    await session.succeed('CREATE', `${ALICE}/evil/linked`);
    await session.succeed('CREATE', `${ALICE}/evil/linked/child`);
    await session.succeed('WRITE', `${ALICE}/evil/linked/child`, { body: 'evil' });
    symlinkSync(join(top, 'elsewhere'), join(top, 'target', 'linked'));
    const refused = await alice.run('export', `${ALICE}/evil`, join(top, 'target'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('is no folder');
    expect([...hashesOf(join(top, 'elsewhere')).keys()]).toEqual([]);
  });

  it('F47 F51 F57 shows bob the one folder that alice shares, and what changes there, and nothing else', async () => {
    await using directory = await temporaryDirectory();
    const { server, alice, bob } = await people(directory.path);
    await using _server = server;
    for (const path of ['private', 'shared', 'shared/inner', 'private/secret']) {
      await alice.succeed('create', `${ALICE}/${path}`, JSON.stringify({ data: path }));
    }
    await alice.succeed('share', `${ALICE}/shared`, BOB);
    expect((await bob.succeed('ls', `${ALICE}/shared`)).trim()).toBe('inner');
    expect(JSON.parse(await bob.succeed('get', `${ALICE}/shared/inner`, '--json'))).toMatchObject({
      data: 'shared/inner',
    });
    for (const path of ['', 'private', 'private/secret', 'nothing', 'config/groups']) {
      expect((await bob.run('get', `${ALICE}/${path}`)).stderr).toContain('403');
      expect((await bob.run('ls', `${ALICE}/${path}`)).code).toBe(1);
    }

    const watching = bob.start('watch', `${ALICE}/shared`, '--json');
    const started = new Inbox<string>('the remark that the watch began');
    const seen = new Inbox<string>('a change on the watch');
    const ended = resultOf(watching);
    if (watching.stdout === null) {
      throw new Error('no output');
    }
    createInterface(watching.stdout).on('line', (line) => (line.includes('"watching"') ? started : seen).add(line));
    await started.next();
    await alice.succeed('patch', `${ALICE}/private/secret`, '{"data":"hidden"}');
    await alice.succeed('create', `${ALICE}/shared/new`, '{"data":"seen"}');
    await alice.succeed('patch', `${ALICE}/private`, '{"data":"hidden"}');
    await alice.succeed('rm', `${ALICE}/shared/inner`);
    const events = (await seen.take(3)).map((line) => JSON.parse(line));
    expect(events.map(({ event, resource }) => `${event} ${resource}`)).toEqual([
      // His own subscription is a change of the object too.
      `UPDATED ${ALICE}/shared`,
      `CREATED ${ALICE}/shared/new`,
      `DELETED ${ALICE}/shared/inner`,
    ]);
    watching.kill('SIGINT');
    expect((await ended).code).toBe(0);
    expect(seen.drain()).toEqual([]);
    expect(JSON.parse(await alice.succeed('get', `${ALICE}/shared`, '--json')).subscriptions).toBeUndefined();
  });
});
