/** What the page of the browser test runs: the SDK over the browser's own WebSocket. */
import { FospClient, isFospError } from '@fosp/client';

interface Arguments {
  readonly url: string;
  readonly password: string;
}

const MIB = 1024 * 1024;

async function* pieces(count: number): AsyncIterable<Uint8Array> {
  for (let index = 0; index < count; index++) {
    yield new Uint8Array(MIB).fill(index);
  }
}

async function run({ url, password }: Arguments): Promise<Record<string, unknown>> {
  const nobody = await FospClient.connect({ url });
  await nobody.register('alice', password);
  nobody.close();
  const client = await FospClient.connect({ url, credentials: { user: 'alice', password } });
  const { user = '' } = client;
  const events = client.notifications();
  await client.update(`${user}/`, { subscriptions: { [user]: { events: ['created'], depth: -1 } } });
  await client.create(`${user}/notes`, '{"data":12345678901234567890}');
  const event = await events.next();

  const progress: number[] = [];
  await client.write(`${user}/notes`, pieces(3), {
    contentType: 'image/png',
    fileName: 'Grüße.png',
    onProgress: (done) => progress.push(done),
  });
  const download = await client.read(`${user}/notes`);
  const lengths: number[] = [];
  let sum = 0;
  for await (const piece of download.body) {
    lengths.push(piece.length);
    sum = piece.reduce((total, byte) => total + byte, sum);
  }
  const { text } = await client.select(`${user}/notes`);
  const refusal = await client
    .select(`${user}/nothing`)
    .catch((error: unknown) => (isFospError(error) ? error.code : error));
  client.close();
  return {
    user,
    event: event.value,
    progress,
    received: lengths.reduce((total, length) => total + length, 0),
    sum,
    fileName: download.fileName,
    text,
    refusal,
    end: (await events.next()).done,
  };
}

Object.assign(globalThis, { run });
