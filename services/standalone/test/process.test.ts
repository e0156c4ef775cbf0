import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ALICE, type ServerOptions, ServerProcess, TestSession, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';

/** What a server that cannot start says; fails where it can. */
async function complaintOf(options: ServerOptions): Promise<string> {
  await using server = new ServerProcess(options);
  const { code } = await server.exited;
  expect(code).toBe(1);
  return server.errors;
}

describe('the process', () => {
  it('logs its ports and where it keeps what, serves, and ends with 0 when asked to', async () => {
    await using directory = await temporaryDirectory();
    const server = await ServerProcess.start({ dataDirectory: directory.path });
    const session = await TestSession.register(server.url, ALICE);
    await session.succeed('CREATE', `${ALICE}/a`, { body: { data: 1 } });
    const serving = server.lines.find((line) => line['msg'] === 'serving');
    expect(serving).toMatchObject({ dataDirectory: directory.path, domains: ['wonderland.lit'] });
    expect((await fetch(`${server.admin}/readyz`)).status).toBe(200);
    const exit = server.stop();
    expect((await session.wire.closed).code).toBe(1012);
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(server.errors).toBe('');
  });

  it('F27 keeps what it acknowledged when it is killed, and starts again on what is left', async () => {
    await using directory = await temporaryDirectory();
    const options = { dataDirectory: directory.path };
    const server = await ServerProcess.start(options);
    const session = await TestSession.register(server.url, ALICE);
    await session.succeed('CREATE', `${ALICE}/a`, { body: { data: 1 } });
    await session.succeed('WRITE', `${ALICE}/a`, { body: Buffer.from('a file'), binary: true });
    await server.kill();
    await using again = await ServerProcess.start(options);
    const later = await TestSession.logIn(again.url, ALICE);
    expect(await later.json('SELECT', `${ALICE}/a`)).toMatchObject({ data: 1 });
    expect((await later.succeed('READ', `${ALICE}/a`)).body.toString()).toBe('a file');
  });

  it('F20 F21 lets its operator make accounts, with the token from the data folder', async () => {
    await using directory = await temporaryDirectory();
    await using server = await ServerProcess.start({
      dataDirectory: directory.path,
      environment: { FOSP_REGISTRATION: 'closed' },
    });
    const token = (await readFile(join(directory.path, 'admin-token'), 'utf8')).trim();
    const add = (authorization: string) =>
      fetch(`${server.admin}/admin/users`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'alice', password: 'down the hole' }),
      });
    await expect(TestSession.register(server.url, ALICE)).rejects.toThrow('403');
    expect((await add('Bearer wrong')).status).toBe(401);
    expect((await add(`Bearer ${token}`)).status).toBe(201);
    await TestSession.logIn(server.url, ALICE, 'down the hole');
  });

  it('says in one line why it cannot start, and what to change', async () => {
    await using directory = await temporaryDirectory();
    const dataDirectory = join(directory.path, 'data');
    await using server = await ServerProcess.start({ dataDirectory });
    const port = new URL(server.url).port;

    const sameFolder = await complaintOf({ dataDirectory });
    const samePort = await complaintOf({ dataDirectory: `${dataDirectory}2`, environment: { FOSP_WS_PORT: port } });
    const adminPort = new URL(server.admin).port;
    const sameAdmin = await complaintOf({
      dataDirectory: `${dataDirectory}3`,
      environment: { FOSP_ADMIN_PORT: adminPort },
    });
    const noFolder = await complaintOf({ dataDirectory: '/sys/nowhere' });

    expect(sameFolder).toMatch(/^standalone cannot start: .*another process uses.*FOSP_DATA_DIR.*\n$/i);
    expect(samePort).toBe(
      `standalone cannot start: port ${port} on 127.0.0.1 is in use; set FOSP_WS_PORT to another, or to 0 for any\n`,
    );
    expect(sameAdmin).toMatch(
      /^standalone cannot start: port \d+ on .* is in use; set FOSP_ADMIN_PORT to another.*\n$/,
    );
    expect(noFolder).toMatch(
      /^standalone cannot start: the data folder \/sys\/nowhere cannot be used: .*FOSP_DATA_DIR.*\n$/,
    );
  });

  it('says that its data are of a newer version', async () => {
    await using directory = await temporaryDirectory();
    const options = { dataDirectory: directory.path };
    const server = await ServerProcess.start(options);
    await server.stop();
    const database = new DatabaseSync(join(directory.path, 'objects', 'objects.sqlite'));
    database.exec("INSERT INTO migrations VALUES (999, 'moons', 1, 0)");
    database.close();
    expect(await complaintOf(options)).toMatch(/^standalone cannot start: .*newer version of this program.*\n$/);
  });

  it('says all that is wrong with its environment at once', async () => {
    const environment = { FOSP_WS_PORT: 'x', FOSP_REGISTRATION: 'maybe', FOSP_LIMIT_OBJECT: '1' };
    const complaint = await complaintOf({ dataDirectory: '/sys/nowhere', environment });
    for (const name of Object.keys(environment)) {
      expect(complaint.split('\n').filter((line) => line.includes(`${name}:`))).toHaveLength(1);
    }
  });
});
