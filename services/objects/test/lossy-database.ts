/** A way to the database on which a test can lose what it likes: what commits, its answer, or everything without a word. */
import { createConnection, createServer, type Socket } from 'node:net';

export interface LossyDatabase extends AsyncDisposable {
  readonly url: string;
  /** The next COMMIT is lost on its way (`request`), or its answer is, and with it the connection. */
  loseNext(what: 'request' | 'answer'): void;
  /** Nothing comes through any more, and nobody is told, until `resume`. */
  fallSilent(): void;
  resume(): void;
  /** How many COMMITs were lost. */
  readonly lost: number;
}

/** The statements that commit, and their names, which alone are sent once a connection knows them. */
const COMMITS = ['COMMIT\0', 'commit\0', 'loneInsert', 'loneReplace'].map((text) => Buffer.from(text));

export async function lossyDatabase(url: string): Promise<LossyDatabase> {
  const { port, hostname } = new URL(url);
  const sockets = new Set<Socket>();
  let loses: 'request' | 'answer' | undefined;
  let isSilent = false;
  let lost = 0;
  const server = createServer((client) => {
    const database = createConnection(Number(port), hostname);
    let isDoomed = false;
    const end = () => {
      client.destroy();
      database.destroy();
    };
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (data) => {
      const isCommit = COMMITS.some((commit) => data.includes(commit));
      if (isCommit && loses !== undefined) {
        lost++;
        isDoomed = loses === 'answer';
        const isRequest = loses === 'request';
        loses = undefined;
        if (isRequest) {
          end();
          return;
        }
      }
      if (!isSilent) {
        database.write(data);
      }
    });
    database.on('data', (data) => {
      if (isDoomed) {
        end();
      } else if (!isSilent) {
        client.write(data);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const here = new URL(url);
  here.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return {
    url: here.href,
    loseNext(what) {
      loses = what;
    },
    fallSilent() {
      isSilent = true;
    },
    resume() {
      isSilent = false;
    },
    get lost() {
      return lost;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
