import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { TransferClient } from '../src/transfer-client.ts';

it('F34 an upload that was refused before its end is not sent once more when the connection breaks', async () => {
  const refused = Promise.withResolvers<void>();
  const asked: string[] = [];
  let refusing: IncomingMessage | undefined;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url ?? '');
    if (request.url === '/refused') {
      refusing = request;
      response.writeHead(500).end();
      return;
    }
    request.resume();
    await once(request, 'end');
    response.writeHead(201).end();
  };
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const client = new TransferClient({
    ...{ connectSeconds: 600, stallSeconds: 600, idleSeconds: 600, idleConnections: 10, replayBytes: 1000 },
    failed: () => refused.resolve(),
    passed: () => undefined,
  });
  const put = (path: string, body: AsyncIterable<Uint8Array>) =>
    client.put(origin + path, body, { size: 20, md5: false });
  const whole = async function* () {
    yield new Uint8Array(20);
  };
  // Leaves a connection to be used again.
  await put('/first', whole());
  const half = async function* () {
    yield new Uint8Array(10);
    await refused.promise;
    refusing?.socket.resetAndDestroy();
    await put('/meanwhile', whole());
    yield new Uint8Array(10);
  };
  await expect(put('/refused', half())).rejects.toMatchObject({ code: 'unavailable' });
  await put('/last', whole());
  expect(asked).toEqual(['/first', '/refused', '/meanwhile', '/last']);
  server.close();
  server.closeAllConnections();
});
