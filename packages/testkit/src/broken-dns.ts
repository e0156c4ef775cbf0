/**
 * A DNS server as one would not want it: to all questions, or some, it says that it failed, or says nothing. dnsmasq cannot
 * be brought to either.
 */
import { createSocket, type Socket } from 'node:dgram';

/** As in RFC 1035 §4.1.1; `silent` answers nothing. */
const CODES = { 'format error': 1, 'server failure': 2, refused: 5, silent: undefined } as const;

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' };

const HEADER_BYTES = 12;

export interface BrokenDnsOptions {
  /** What it fails for, such as `AAAA realworld.lit`; all, where nothing is said. */
  readonly only?: (question: string) => boolean;
  /** The port, on loopback, of a server that knows the rest. */
  readonly otherwise?: number;
}

export interface BrokenDns extends AsyncDisposable {
  /** `127.0.0.1:5353` */
  readonly address: string;
  /** How often it failed. */
  readonly failures: number;
}

export async function startBrokenDns(
  answer: keyof typeof CODES,
  { only = () => true, otherwise }: BrokenDnsOptions = {},
): Promise<BrokenDns> {
  const code = CODES[answer];
  const [socket, upstream] = [createSocket('udp4'), createSocket('udp4')];
  const askers = new Map<number, { readonly port: number; readonly address: string }>();
  let failures = 0;
  socket.on('message', (message, { address, port }) => {
    if (!only(questionOf(message))) {
      askers.set(message.readUInt16BE(0), { port, address });
      upstream.send(message, otherwise, '127.0.0.1');
      return;
    }
    failures++;
    if (code !== undefined) {
      socket.send(failure(message, code), port, address);
    }
  });
  upstream.on('message', (message) => {
    const asker = askers.get(message.readUInt16BE(0));
    socket.send(message, asker?.port, asker?.address);
  });
  await Promise.all([bind(socket), bind(upstream)]);
  return {
    address: `127.0.0.1:${socket.address().port}`,
    get failures() {
      return failures;
    },
    [Symbol.asyncDispose]: async () => {
      socket.close();
      upstream.close();
    },
  };
}

function bind(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
}

/** `SRV _fosp._wss._tcp.realworld.lit` */
function questionOf(message: Buffer): string {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return `${TYPES[message.readUInt16BE(at + 1)] ?? 'other'} ${labels.join('.').toLowerCase()}`;
}

/** The header and the question as they came, marked as an answer with this code; nothing behind them. */
function failure(message: Buffer, code: number): Buffer {
  // The end of the name, type and class.
  const end = message.indexOf(0, HEADER_BYTES) + 5;
  const answer = Buffer.from(message.subarray(0, end));
  answer[2] = (answer[2] ?? 0) | 0x80;
  answer[3] = 0x80 | code;
  answer.writeUInt32BE(0, 8);
  answer.writeUInt16BE(0, 6);
  return answer;
}
