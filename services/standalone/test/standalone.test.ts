import { randomBytes } from 'node:crypto';
import { ALICE, BOB, SISTER, TestSession, temporaryDirectory, WONDERLAND } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { createStandalone } from '../src/index.ts';

interface StartedStandalone extends AsyncDisposable {
  readonly url: string;
  settle(): Promise<void>;
}

async function startStandalone(dataDirectory: string): Promise<StartedStandalone> {
  const environment = {
    FOSP_DOMAIN: WONDERLAND,
    FOSP_WS_PORT: '0',
    FOSP_DATA_DIR: dataDirectory,
  };
  const standalone = createStandalone(environment);
  const { url } = await standalone.start();
  return { url, settle: () => standalone.settle(), [Symbol.asyncDispose]: () => standalone.drain() };
}

describe('standalone', () => {
  it('F19 F26 F27 F31 F32 F55 serves objects, files and notifications, and keeps them', async () => {
    await using directory = await temporaryDirectory();
    const file = randomBytes(300_000);
    {
      await using server = await startStandalone(directory.path);
      const alice = await TestSession.register(server.url, ALICE);
      const bob = await TestSession.register(server.url, BOB);
      const acl = { users: { [BOB]: ['read-data', 'write-subscriptions'] } };
      await alice.succeed('CREATE', `${ALICE}/hat`, { body: { data: 'a hat', acl } });
      const subscriptions = { [BOB]: { events: ['updated', 'deleted'], depth: 0 } };
      await bob.succeed('UPDATE', `${ALICE}/hat`, { body: { subscriptions } });
      await alice.succeed('UPDATE', `${ALICE}/hat`, { body: { data: 'a larger hat' } });
      const headers = { 'Content-Type': 'image/png', 'File-Name': 'hat.png' };
      await alice.succeed('WRITE', `${ALICE}/hat`, { body: file, binary: true, headers });
      await server.settle();

      // The first one tells of the subscription itself.
      const told = await bob.notifications.take(3);
      expect(told.map(({ event, resource }) => `${event} ${resource}`)).toEqual(Array(3).fill(`UPDATED ${ALICE}/hat`));
      expect(JSON.parse(told[2]?.body.toString() ?? '')).toMatchObject({
        data: 'a larger hat',
        attachment: { name: 'hat.png', size: file.length, 'mime-type': 'image/png' },
      });
    }
    await using server = await startStandalone(directory.path);
    const bob = await TestSession.logIn(server.url, BOB);
    expect(await bob.json('SELECT', `${ALICE}/hat`)).toMatchObject({ owner: ALICE, data: 'a larger hat' });
    const read = await bob.succeed('READ', `${ALICE}/hat`);
    expect(read.headers).toMatchObject({ 'Content-Type': 'image/png', 'File-Name': 'hat.png' });
    expect(Buffer.compare(read.body, file)).toBe(0);
  });

  it('F61 says that other domains cannot be reached', async () => {
    await using directory = await temporaryDirectory();
    await using server = await startStandalone(directory.path);
    const alice = await TestSession.register(server.url, ALICE);
    const response = await alice.request('SELECT', `${SISTER}/a`);
    expect(response).toMatchObject({ succeeded: false, status: 504 });
    expect(response.body.toString()).toContain('realworld.lit cannot be reached');
  });

  it('starts a second time in one process, on another folder, without anything in common', async () => {
    await using folders = await temporaryDirectory();
    await using first = await startStandalone(`${folders.path}/first`);
    await using second = await startStandalone(`${folders.path}/second`);
    await TestSession.register(first.url, ALICE);
    await TestSession.register(second.url, ALICE);
    expect(first.url).not.toBe(second.url);
  });

  it('leaves the folder and the port to others when it could not start', async () => {
    await using directory = await temporaryDirectory();
    await using server = await startStandalone(`${directory.path}/first`);
    const environment = { FOSP_WS_PORT: new URL(server.url).port, FOSP_DATA_DIR: `${directory.path}/second` };
    await expect(createStandalone(environment).start()).rejects.toThrow(
      /port \d+ on 127.0.0.1 is in use; set FOSP_WS_PORT/,
    );
    await using second = await startStandalone(`${directory.path}/second`);
    await TestSession.register(second.url, ALICE);
  });
});
