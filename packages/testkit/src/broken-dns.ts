/** A DNS server as one would not want it: it says that it failed, or says nothing. dnsmasq cannot be brought to either. */
import { createSocket } from 'node:dgram';

/** As in RFC 1035 §4.1.1; `silent` answers nothing. */
const CODES = { 'format error': 1, 'server failure': 2, refused: 5, silent: undefined } as const;

export interface BrokenDns extends AsyncDisposable {
  /** `127.0.0.1:5353` */
  readonly address: string;
  /** How often it was asked. */
  readonly questions: number;
}

export async function startBrokenDns(answer: keyof typeof CODES): Promise<BrokenDns> {
  const code = CODES[answer];
  const socket = createSocket('udp4');
  let questions = 0;
  socket.on('message', (question, { address, port }) => {
    questions++;
    if (code !== undefined) {
      socket.send(failure(question, code), port, address);
    }
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    get questions() {
      return questions;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

const HEADER_BYTES = 12;

/** The header and the question as they came, marked as an answer with this code; nothing behind them. */
function failure(question: Buffer, code: number): Buffer {
  let end = HEADER_BYTES;
  for (let length = question[end] ?? 0; length > 0; length = question[end] ?? 0) {
    end += length + 1;
  }
  // The end of the name, type and class.
  const answer = Buffer.from(question.subarray(0, end + 5));
  answer[2] = (answer[2] ?? 0) | 0x80;
  answer[3] = 0x80 | code;
  answer.writeUInt32BE(0, 8);
  answer.writeUInt16BE(0, 6);
  return answer;
}
