import { WebSocket } from 'ws';

/** A connection that talks FOSP as raw text: nothing of ours between the bench and the server. */
export class Wire {
  readonly socket: WebSocket;
  /** Called for each message that answers no `ask`. */
  onMessage: ((data: Buffer, isBinary: boolean) => void) | undefined;
  #sequence = 1;
  readonly #waiting = new Map<number, (message: Buffer) => void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => this.#take(data, isBinary));
  }

  static open(url: string): Promise<Wire> {
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 128 * 1024 * 1024 });
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(new Wire(socket)));
      socket.once('error', reject);
    });
  }

  /** Connects and logs in: by token, or by name and password. */
  static async login(url: string, credentials: object): Promise<{ wire: Wire; token: string }> {
    const wire = await Wire.open(url);
    await wire.ask('CONNECT *', '{"version":"0.1","extensions":["resume"]}');
    const answer = await wire.ask('AUTHENTICATE *', JSON.stringify(credentials));
    const body: { token?: string } = JSON.parse(bodyOf(answer));
    return { wire, token: body.token ?? '' };
  }

  /** One request; resolves with the whole response, rejects where it is FAILED. */
  ask(start: string, body: string | Uint8Array = '', headers = ''): Promise<Buffer> {
    const sequence = this.#sequence++;
    const head = `${start} ${sequence}\r\n${headers}${body.length > 0 ? '\r\n' : ''}`;
    this.socket.send(typeof body === 'string' ? head + body : Buffer.concat([Buffer.from(head), body]));
    return new Promise((resolve, reject) => {
      this.#waiting.set(sequence, (message) => {
        if (message.subarray(0, 9).toString() === 'SUCCEEDED') {
          resolve(message);
        } else {
          reject(new Error(`${start}: ${message.toString('utf8', 0, 300)}`));
        }
      });
    });
  }

  #take(data: Buffer, isBinary: boolean): void {
    const sequence = this.#waiting.size === 0 ? undefined : sequenceOf(data);
    const waiting = sequence === undefined ? undefined : this.#waiting.get(sequence);
    if (sequence === undefined || waiting === undefined) {
      this.onMessage?.(data, isBinary);
      return;
    }
    this.#waiting.delete(sequence);
    waiting(data);
  }
}

function sequenceOf(data: Buffer): number | undefined {
  const line = data.toString('latin1', 0, Math.min(data.length, 64));
  const match = line.match(/^(?:SUCCEEDED|FAILED) \d+ (\d+)\r\n/);
  return match === null ? undefined : Number(match[1]);
}

function bodyOf(message: Buffer): string {
  const at = message.indexOf('\r\n\r\n');
  return at < 0 ? '' : message.toString('utf8', at + 4);
}
