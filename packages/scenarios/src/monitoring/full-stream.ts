/** Asks JetStream what its own command line would, in NATS' protocol of lines: no client is needed for two questions. */
import { connect } from 'node:net';
import type { NatsServer } from '@fosp/testkit';

interface StreamInfo {
  readonly config: Readonly<Record<string, unknown>>;
  readonly error?: { readonly description: string };
}

/** Lets the stream have no more messages than it has, as a disk that is full would. Resolves with what gives it room again. */
export async function fillStream({ port }: NatsServer, stream: string): Promise<() => Promise<void>> {
  const { config } = await ask(port, `$JS.API.STREAM.INFO.${stream}`, '');
  const update = async (max: unknown) => {
    await ask(port, `$JS.API.STREAM.UPDATE.${stream}`, JSON.stringify({ ...config, max_msgs: max }));
  };
  await update(1);
  return () => update(config['max_msgs']);
}

async function ask(port: number, subject: string, body: string): Promise<StreamInfo> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write(
      `CONNECT {"verbose":false,"pedantic":false}\r\nSUB answers 1\r\nPUB ${subject} answers ${Buffer.byteLength(body)}\r\n${body}\r\n`,
    );
    let told = '';
    for await (const data of socket) {
      told += data;
      const [, length, rest = ''] = /\r\nMSG answers 1 (\d+)\r\n([\s\S]*)$/.exec(told) ?? [];
      if (length !== undefined && Buffer.byteLength(rest) >= Number(length)) {
        const answer: StreamInfo = JSON.parse(rest.slice(0, Number(length)));
        if (answer.error !== undefined) {
          throw new Error(`${subject}: ${answer.error.description}`);
        }
        return answer;
      }
    }
    throw new Error(`${subject}: no answer but ${told}`);
  } finally {
    socket.destroy();
  }
}
