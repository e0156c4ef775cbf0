/** A WebSocket server that answers by script: for each message that comes, the messages to send back, as they are. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

export type Script = (message: string) => readonly (string | Buffer)[];

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
}

/** What a server needs to say for a run to begin. */
export function greeting(message: string): readonly string[] | undefined {
  const [, sequence] = /^CONNECT \* (\d+)/.exec(message) ?? [];
  return sequence === undefined
    ? undefined
    : [`SUCCEEDED 200 ${sequence}\r\n\r\n{"version":"0.1","registration":true}`];
}

/** Buffers go out as binary frames, strings as text frames. */
export async function startScripted(script: Script): Promise<ScriptedServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      for (const answer of script(data.toString())) socket.send(answer);
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
