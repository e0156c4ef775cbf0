/** What becomes of a domain when the process that talks to it is killed: real processes, on a real NATS. */
import { Bus, FEDERATION } from '@fosp/bus';
import { connectNats } from '@fosp/bus/nats';
import { natsInstalled, ServerProcess, startNats, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { ALICE, REALWORLD, SISTER, serveSign } from './harness.ts';
import { type PeerLink, TestPeer, until } from './test-peer.ts';

const COUNT = 3000;

describe.skipIf(!natsInstalled())('a domain whose process is killed', () => {
  it('F59 F68 is told everything in order by another one, and asked by that one from then on', async () => {
    await using nats = await startNats();
    await using peer = await TestPeer.start();
    await using processes = await startProcesses(nats.url, peer.port);
    const bus = new Bus(await connectNats({ url: nats.url, appendTimeout: 60_000 }));
    await serveSign(bus);
    const appended = Array.from({ length: COUNT }, (_, at) => append(bus, at + 1));
    await Promise.all(appended);

    const received: number[] = [];
    const acknowledged = { last: 0 };
    const answers: Promise<string>[] = [];
    for (const stopAt of [500, 1500, COUNT]) {
      const link = await peer.links.next();
      await receive(link, { received, acknowledged, stopAt });
      if (stopAt < COUNT) {
        await processes.killOwner();
        answers.push(ask(bus));
        const next = await peer.links.next();
        peer.links.add(next);
      }
    }
    // Each at least once, and none before one that was before it.
    const firsts = [...new Set(received)];
    expect(firsts).toEqual(Array.from({ length: COUNT }, (_, at) => at + 1));
    await until(async () => (await bus.queueLength(REALWORLD)) === 0, 'the queue to be empty');
    expect(await Promise.all(answers)).toEqual(['200', '200']);
    await bus.drain();
  });
});

/** Takes notifications, acknowledging most of them, until one is reached. */
async function receive(
  link: PeerLink,
  { received, acknowledged, stopAt }: { received: number[]; acknowledged: { last: number }; stopAt: number },
): Promise<void> {
  for (let sequence = 0; sequence < stopAt; ) {
    const message = await link.next();
    if (message.type === 'SELECT') {
      link.answer(message, { status: 200, body: '{}' });
    } else if (message.type === 'UPDATED') {
      sequence = JSON.parse(message.body.toString()).data;
      received.push(sequence);
      if (sequence % 10 === 0) {
        acknowledged.last = Number(message.headers['Id']);
        link.send(`ACK * ${sequence}`, { headers: { Id: String(acknowledged.last) } });
      }
    }
  }
}

async function append(bus: Bus, sequence: number): Promise<void> {
  const place = { tree: ALICE, path: '/a', event: 'UPDATED' } as const;
  const headers = { ...place, user: SISTER, source: ALICE, part: '0', sequence: String(sequence) };
  await bus.appendRemote(REALWORLD, headers, Buffer.from(JSON.stringify({ data: sequence })));
}

/** As a gateway does; gives the status, or the code of the error. */
async function ask(bus: Bus): Promise<string> {
  const fields = { user: ALICE, type: 'SELECT', tree: SISTER, path: '', headers: '{}' };
  for (const deadline = Date.now() + 100_000; Date.now() < deadline; ) {
    try {
      const reply = await bus.askAt(FEDERATION.forward, REALWORLD, fields);
      if (reply !== undefined) {
        return reply.fields.status;
      }
      await bus.call(FEDERATION.adopt, { domain: REALWORLD });
    } catch (error) {
      const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
      if (code !== 'unavailable') {
        return code;
      }
    }
  }
  return 'nobody';
}

async function startProcesses(natsUrl: string, port: number) {
  const directory = await temporaryDirectory();
  const start = () =>
    ServerProcess.start({
      program: 'federation',
      dataDirectory: directory.path,
      environment: {
        FOSP_NATS_URL: natsUrl,
        FOSP_FEDERATION_PEERS: `${REALWORLD}=ws://127.0.0.1:${port}`,
        FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
      },
    });
  const running: ServerProcess[] = await Promise.all([start(), start()]);
  const restarting: Promise<void>[] = [];
  const owns = async ({ admin }: ServerProcess) =>
    /^fosp_federation_peers 1$/m.test(await (await fetch(`${admin}/metrics`)).text());
  return {
    killOwner: async () => {
      await Promise.all(restarting);
      for (const [at, each] of running.entries()) {
        if (await owns(each)) {
          await each.kill();
          restarting.push(
            start().then((started) => {
              running[at] = started;
            }),
          );
          return;
        }
      }
      throw new Error('Nobody talks to the domain');
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(restarting);
      await Promise.all(running.map((each) => each.kill()));
      await directory[Symbol.asyncDispose]();
    },
  };
}
