import { describe, expect, it } from 'vitest';
import { manualClock } from './manual-clock.ts';
import type { RecordingHandler } from './recording-handler.ts';
import { MIB, startServer, type TestClient, type TestServer } from './server.ts';

const HEAD = 'UPDATE alice@wonderland.lit/a 1\r\n\r\n';
const SENDERS = 40;
const BUDGET = 16 * MIB;

function answering(handler: RecordingHandler): void {
  handler.planFor = () => ({ kind: 'buffer', limit: MIB });
  handler.answer = ({ head, body }, peer) => peer.respond(head.sequence, 200, { body: String(body.length) });
}

/** Many clients, each with half a megabyte of a message sent and the end of it held back. */
async function crowd(server: TestServer): Promise<TestClient[]> {
  const clients = await Promise.all(Array.from({ length: SENDERS }, () => server.connect()));
  for (const client of clients) {
    client.socket.send(HEAD + 'x'.repeat(MIB / 2), { fin: false });
  }
  await turns(() => server.environment.budget.waiting > 0);
  return clients;
}

async function turns(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise(setImmediate);
  }
}

describe('large messages that are over the budget together', () => {
  it('keep within it, while small requests are served, and all complete', async () => {
    const server = await startServer({ budgetBytes: BUDGET, prepare: answering });
    const clients = await crowd(server);
    const { budget } = server.environment;
    const other = await server.connect();
    for (let count = 1; count <= 100; count++) {
      other.send(`${HEAD}small`);
      await other.texts(count);
      expect(budget.used).toBeLessThanOrEqual(BUDGET);
    }
    expect(clients.flatMap((client) => client.messages)).toEqual([]);
    for (const client of clients) {
      client.socket.send('end', { fin: true });
    }
    const answers = await Promise.all(clients.map((client) => client.texts(1)));
    expect(new Set(answers.flat())).toEqual(new Set([`SUCCEEDED 200 1\r\n\r\n${MIB / 2 + 3}`]));
    expect(budget).toMatchObject({ used: 0, waiting: 0 });
  });

  it('that never end give way to the others, one after the other', async () => {
    const clock = manualClock();
    const server = await startServer({
      budgetBytes: BUDGET,
      timers: clock.timers,
      limits: { heartbeatSeconds: 0, closeSeconds: 0.25 },
      prepare: answering,
    });
    const clients = await crowd(server);
    const { budget } = server.environment;
    const honest = await server.connect();
    honest.send(HEAD + 'x'.repeat(MIB / 2));
    while (honest.messages.length === 0) {
      clock.advance(1);
      expect(budget.used).toBeLessThanOrEqual(BUDGET);
      await new Promise(setImmediate);
    }
    expect(honest.messages).toMatchObject([{ text: `SUCCEEDED 200 1\r\n\r\n${MIB / 2}` }]);
    await Promise.all(clients.slice(0, 1).map((client) => client.untilClosed()));
    expect(clients[0]?.closes).toMatchObject([{ code: 1008 }]);
  });

  it('close a connection that alone would go over the whole of it', async () => {
    const server = await startServer({ budgetBytes: MIB / 2, prepare: answering });
    const client = await server.connect();
    client.send(HEAD + 'x'.repeat(MIB));
    await client.untilClosed();
    expect(client.closes).toMatchObject([{ code: 1013 }]);
    expect(server.environment.budget.used).toBe(0);
  });
});

it('requests count until they are answered', async () => {
  const server = await startServer();
  const client = await server.connect();
  const { budget } = server.environment;
  client.send(`${HEAD}12345`);
  client.send('UPDATE alice@wonderland.lit/a 2\r\n\r\n123');
  client.send('UPDATE alice@wonderland.lit/a 3\r\n\r\n1');
  const [handler] = server.handlers;
  await handler?.until(() => handler.requests.length === 3);
  expect(budget.used).toBe(9);
  handler?.peer?.respond(1, 204);
  expect(budget.used).toBe(4);
  handler?.peer?.respond(2, 204);
  handler?.peer?.respond(2, 204);
  expect(budget.used).toBe(1);
  client.socket.close();
  await handler?.untilClosed();
  expect(budget.used).toBe(0);
});

it.each([
  ['repeats its number', 'SELECT alice@wonderland.lit/a 1\r\n'],
  ['repeats its number, with a body', 'UPDATE alice@wonderland.lit/a 1\r\n\r\n123'],
  ['is malformed, with its number', 'SELECT nobody 1\r\n'],
])('a request counts until it is answered itself, not when one is refused that %s', async (_name, refused) => {
  const held = 'UPDATE alice@wonderland.lit/a 1\r\n\r\n12345';
  const server = await startServer({
    prepare: (handler) => {
      handler.answer = ({ head }, peer) => {
        if (handler.requests.length > 1) {
          peer.respond(head.sequence, 400);
        }
      };
      handler.malformed = (sequence) => handler.peer?.respond(sequence, 400);
    },
  });
  const client = await server.connect();
  client.send(held);
  client.send(refused);
  expect(await client.texts(1)).toEqual(['FAILED 400 1\r\n']);
  expect(server.environment.budget.used).toBe(5);
  server.handlers[0]?.peer?.respond(1, 204);
  expect(await client.texts(2)).toContain('SUCCEEDED 204 1\r\n');
  expect(server.environment.budget.used).toBe(0);
});
